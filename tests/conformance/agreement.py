"""Whether another decoder's value is ours. Theirs comes as JSON that says of each part what it is."""

import math
from typing import Any


def agrees(ours: object, theirs: Any) -> bool:
    """Theirs: null, a boolean, {"number"}, {"text"}, {"bytes"}, {"list": […]} or {"fields": [[name, value], …]}."""
    match ours, theirs:
        case ((None | bool()), _):
            return ours is theirs
        case int(), {"number": str(number)}:
            return ours == int(number)
        case float(), {"number": str(number)}:
            return _same_float(ours, float(number))
        case str(), {"text": str(text)}:
            return ours == text
        case bytes(), {"bytes": str(text)}:
            return ours.hex() == text
        case list(), {"list": items}:
            return len(ours) == len(items) and all(map(agrees, ours, items))
        case list(), {"fields": fields}:  # JavaScript has no tuples: it numbers them
            return agrees({str(number): item for number, item in enumerate(ours)}, theirs)
        case dict(), {"fields": fields}:
            names = [name for name, _ in fields]
            return list(ours) == names and all(agrees(ours[name], item) for name, item in fields)
        case _:
            return False


def _same_float(ours: float, theirs: float) -> bool:
    if math.isnan(ours):
        return math.isnan(theirs)
    return ours == theirs and math.copysign(1, ours) == math.copysign(1, theirs)
