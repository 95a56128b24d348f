"""Accounts of the vault-manager as its events alone tell them, one event after the other."""

from solders.pubkey import Pubkey

from tests.program.anchor_idl import Fields
from tests.program.chain import pda

U64_MAX = 2**64 - 1
BALANCES = ("total_balance", "locked_balance", "available_balance")


class Replay:
    """Believes no balance that does not follow from the one before it and the amount."""

    def __init__(self) -> None:
        self.authority: Fields = {}
        self.vaults: dict[Pubkey, Fields] = {}

    def take(self, name: str, event: Fields) -> None:
        match name:
            case "AuthorityInitialized":
                self._begin(event)
            case "ProgramAuthorized" | "ProgramRevoked" | "AdminProposed" | "AdminAccepted":
                self._govern(name, event)
            case "VaultInitialized":
                self._open(event)
            case "Deposited":
                _count(self._change(event, available=1), "total_deposited", event["amount"])
            case "Withdrawn":
                _count(self._change(event, available=-1), "total_withdrawn", event["amount"])
            case "CollateralLocked":
                self._change(event, locked=1, available=-1)
            case "CollateralUnlocked":
                self._change(event, locked=-1, available=1)
            case "CollateralTransferred":
                self._change(event, available=-1, leg="from_")
                self._change(event, available=1, leg="to_")
            case _:
                raise AssertionError(f"the replay does not know the event {name}")

    def _begin(self, event: Fields) -> None:
        assert not self.authority, "initialised twice"
        self.authority = {
            "admin": event["admin"],
            "pending_admin": None,
            "collateral_mint": event["collateral_mint"],
            "authorized_programs": [],
        }

    def _govern(self, name: str, event: Fields) -> None:
        assert event["previous_admin" if name == "AdminAccepted" else "admin"] == self.authority["admin"]
        programs = self.authority["authorized_programs"]
        match name:
            case "ProgramAuthorized":
                program = event["program"]
                programs.append({"program": program, "caller": pda(program, b"vault_caller")})
            case "ProgramRevoked":
                programs[:] = [entry for entry in programs if entry["program"] != event["program"]]
            case "AdminProposed":
                proposed = event["pending_admin"]
                self.authority["pending_admin"] = None if proposed == self.authority["admin"] else proposed
            case "AdminAccepted":
                assert event["admin"] == self.authority["pending_admin"]
                self.authority |= {"admin": event["admin"], "pending_admin": None}

    def _open(self, event: Fields) -> None:
        assert event["vault"] not in self.vaults, "initialised twice"
        assert event["mint"] == self.authority["collateral_mint"]
        assert [event[name] for name in BALANCES] == [0, 0, 0]
        self.vaults[event["vault"]] = {
            "owner": event["owner"],
            "token_account": event["token_account"],
            **dict.fromkeys((*BALANCES, "total_deposited", "total_withdrawn"), 0),
            "created_at": event["timestamp"],
            "last_updated": event["timestamp"],
        }

    def _change(self, event: Fields, *, locked: int = 0, available: int = 0, leg: str = "") -> Fields:
        """`locked` and `available` are how many times the amount each changes by; `leg` begins the fields' names."""
        vault, amount = self.vaults[event[f"{leg}vault"]], event["amount"]
        vault["locked_balance"] += locked * amount
        vault["available_balance"] += available * amount
        vault["total_balance"] += (locked + available) * amount
        vault["last_updated"] = event["timestamp"]
        assert event[f"{leg}owner"] == vault["owner"]
        for name in BALANCES:
            assert event[leg + name] == vault[name], f"{leg}{name} does not follow from what was before"
        return vault


def _count(vault: Fields, total: str, amount: int) -> None:
    """As far as a u64 goes."""
    vault[total] = min(vault[total] + amount, U64_MAX)
