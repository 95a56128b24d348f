"""vault-projector: until everything is imported, which takes a second, Ctrl-C just ends it."""

import os
import signal


def main() -> None:
    handler = signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from projections import command

    signal.signal(signal.SIGINT, handler)
    command.main()


if __name__ == "__main__":
    main()
