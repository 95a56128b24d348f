"""What can go wrong with read models; each docstring is the message and the way out."""

from eventstore.errors import ANEW, without_secrets


class ProjectionError(Exception):
    """The projections cannot do what was asked."""


class ReadModelsUrlInvalid(ProjectionError):
    """The read models' URL cannot be used."""

    def __init__(self, url: str, reason: str) -> None:
        shown = without_secrets(url)
        super().__init__(
            f"VAULT_READ_MODELS_URL {shown!r}: {reason}; use sqlite:///relative-folder or sqlite:////absolute-folder"
        )


class ReadModelsUnavailable(ProjectionError):
    """There is nothing to read yet, or it is out of reach."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"read models at {where} cannot be read: {reason}; is vault-projector running there?")


class ReadModelsReplaced(ProjectionError):
    """The files that are open are no longer those of that name: somebody removed or replaced the folder."""

    def __init__(self, where: str) -> None:
        super().__init__(f"read models at {where} were removed or replaced meanwhile: restart")


class ReadModelsBusy(ProjectionError):
    """Another process holds the file for longer than we wait."""

    def __init__(self, where: str) -> None:
        super().__init__(f"{where} is kept busy by another process: nothing was lost, restart, or look who has it open")


class GenerationGone(ProjectionError):
    """The generation that a page walk began in was dropped after a rebuild: begin the walk again."""

    def __init__(self, projection: str, generation: int) -> None:
        super().__init__(f"generation {generation} of {projection} is gone after a rebuild: begin again without cursor")


class ReadModelsUnwritable(ProjectionError):
    """Read-only, full, or out of reach; what was not written will be written after a restart."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"cannot write {where}: {reason}; nothing was lost, free space or fix permissions and restart")


class NotReadModels(ProjectionError):
    """The file is something else, or damaged; read models can always be made anew from the event store."""

    def __init__(self, where: str, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"{where} holds no read models ({reason}): check VAULT_READ_MODELS_URL, and if it is right, move the "
            "folder away and run vault-projector rebuild"
        )


class GenerationDamaged(ProjectionError):
    """What is in a generation's file is not what was written; a rebuild does not need it."""

    def __init__(self, where: str, projection: str, reason: str) -> None:
        super().__init__(f"{where} is damaged ({reason}): run vault-projector rebuild --projection {projection}")


class ReadModelsTooNew(ProjectionError):
    """A newer version of this software wrote them."""

    def __init__(self, where: str, found: int, known: int) -> None:
        super().__init__(f"{where} has format version {found}, this software knows {known}: use the newer version")


class GenerationOfOtherVersion(ProjectionError):
    """Another version of the projection made this generation: only that version may write it."""

    def __init__(self, projection: str, generation: int, found: int, ours: int) -> None:
        super().__init__(
            f"generation {generation} of {projection} was made by version {found} of the projection, this is version "
            f"{ours}: run vault-projector rebuild --projection {projection}"
        )


class LiveGenerationLost(ProjectionError):
    """The catalog names a live generation that is not there: somebody removed it."""

    def __init__(self, projection: str, generation: int) -> None:
        super().__init__(
            f"generation {generation} of {projection} is live but its documents are not there: run vault-projector "
            f"rebuild --projection {projection}"
        )


class ProjectorRunning(ProjectionError):
    """Another process writes this projection."""

    def __init__(self, what: str, holder: str) -> None:
        super().__init__(f"{what} is already being written by {holder}: stop it first")


class CheckpointUnknown(ProjectionError):
    """The event store does not hold the fact that the checkpoint names: it was replaced or restored."""

    def __init__(self, projection: str, position: int) -> None:
        super().__init__(
            f"{projection} stands at position {position} with a fact that the event store does not hold there: the "
            f"store was replaced or restored; run vault-projector rebuild --projection {projection}"
        )


class CheckpointMoved(ProjectionError):
    """Another projector moved the checkpoint: this one is out of date and must stop."""

    def __init__(self, projection: str, generation: int) -> None:
        super().__init__(f"the checkpoint of {projection}, generation {generation}, was moved by another projector")


class CatalogMoved(ProjectionError):
    """Another process changed the catalog at the same moment."""

    def __init__(self) -> None:
        super().__init__("the catalog of generations was changed by another process: try again")


class VerificationFailed(ProjectionError):
    """The documents differ from an independent fold of the same facts; before a flip, the live generation stays."""

    def __init__(self, projection: str, difference: str) -> None:
        self.projection, self.difference = projection, difference
        super().__init__(f"the rebuilt {projection} are not what the facts say, nothing was flipped: {difference}")


class RebuildFailed(ProjectionError):
    """Of several workers one or more have failed; what the others flipped to is live, and proved."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))


class ReadModelsDiffer(ProjectionError):
    """What is read is not what the facts say: a rebuild makes it so, and does not need what is there."""

    def __init__(self, projection: str, generation: int, difference: str) -> None:
        super().__init__(
            f"generation {generation} of {projection} is not what the facts say ({difference}): run vault-projector "
            f"rebuild --projection {projection}"
        )


class NoSuchGeneration(ProjectionError):
    """There is no generation that this could be done with."""

    def __init__(self, projection: str, wanted: str) -> None:
        super().__init__(f"{projection} has no generation {wanted}: see vault-projector generations")


class GenerationBehind(ProjectionError):
    """A generation of another version cannot be brought up to date by this one: to flip to it takes readers back."""

    def __init__(self, projection: str, generation: int, position: int, live_position: int) -> None:
        super().__init__(
            f"generation {generation} of {projection} stands at position {position}, the live one at {live_position}, "
            "and another version wrote it: to go back to it all the same, say --although-behind"
        )


class NothingParked(ProjectionError):
    """Nothing of that vault is parked."""

    def __init__(self, projection: str, vault: str) -> None:
        super().__init__(f"nothing of vault {vault!r} is parked in {projection}: see vault-projector parked list")


class VaultIndexDiffers(ProjectionError):
    """The event store's index by vault is not what its log says: there is nothing to verify a rebuild against."""

    def __init__(self, projection: str, vault: str, difference: str) -> None:
        super().__init__(
            f"the rebuilt {projection} cannot be verified, nothing was flipped: for {vault!r} the event store's index "
            f"by vault {difference}, so the event store is damaged: {ANEW}"
        )


class ContestedIndexDiffers(ProjectionError):
    """The event store's index of contested signatures is not what its log says: what stands cannot be told from it."""

    def __init__(self, projection: str, signature: str, position: int) -> None:
        super().__init__(
            f"the rebuilt {projection} cannot be verified, nothing was flipped: the event store's index of contested "
            f"signatures lacks {signature!r} or its fact at position {position}, so the event store is damaged: {ANEW}"
        )


class Unprojectable(ProjectionError):
    """A fact cannot be applied to a document: the software does not understand it, or the fact makes no sense."""

    def __init__(self, projection: str, vault: str | None, position: int, key: str, reason: str) -> None:
        self.vault, self.position, self.key, self.reason = vault, position, key, reason
        what = f"vault {vault!r}" if vault is not None else "it"
        super().__init__(
            f"{projection}: the fact at position {position} cannot be applied to {what} ({reason}): use a version that "
            "can, or give it up for this vault with vault-projector parked discard"
        )


class PointUnknown(ProjectionError):
    """There is no such transaction, or it did not stand then: nothing can be told as of it."""

    def __init__(self, signature: str) -> None:
        super().__init__(f"no transaction {signature!r} stood then: check the signature, or ask by slot")


class KnownLater(ProjectionError):
    """What was known at that position is not all projected yet."""

    def __init__(self, known_at: int, position: int) -> None:
        super().__init__(f"transactions stand at position {position}, before {known_at}: try again when they are there")


class BeyondCoverage(ProjectionError):
    """What happened by then is not known completely yet: to answer would be to guess."""

    def __init__(self, asked: str, through_slot: int | None, through_time: int | None) -> None:
        known = "nothing is complete yet"
        if through_slot is not None:
            known = f"known completely is what happened through slot {through_slot}"
            known += "" if through_time is None else f", block time {through_time}"
        super().__init__(f"{asked} is beyond coverage, {known}: ask for an earlier point, or again later")


class ProjectionUnknown(ProjectionError):
    """There is no projection of that name."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"there is no projection {name!r}: choose from {', '.join(known)}")
