"""Level of an online service (mức độ 1 to 4, NĐ 43/2011) and its kind (toàn trình / một phần, NĐ 42/2022): two fields,
since 15 August 2022 the second one counts (docs/field/services.md).

What is grade I there, that a level-3 service may count as toàn trình when its result goes by post, is an argument.
"""

from __future__ import annotations

from hub.errors import BadRecord

LEVELS = (1, 2, 3, 4)
ONLINE_LEVELS = (3, 4)
"""At these the application itself is sent online."""


def whole_process(
    level: int | None, *, result_by_post: bool = False, post_counts_as_whole: bool = False
) -> bool | None:
    """`whole_process` of a service of which only the level is known: 4 is toàn trình (True), 3 một phần (False).

    Levels 1 and 2 are no online services in the sense of NĐ 42/2022, and an unknown level tells nothing: None.
    post_counts_as_whole: a level-3 service whose result goes by post counts as toàn trình too (grade I).
    BadRecord (`limit`) for a level that there is not.
    """
    if level is None:
        return None
    if level not in LEVELS:
        raise BadRecord("limit", f"level: must be 1 to 4 (NĐ 43/2011/NĐ-CP); got {level}", "level")
    if level not in ONLINE_LEVELS:
        return None
    return level == 4 or (result_by_post and post_counts_as_whole)


def contradiction(level: int | None, whole: bool | None) -> str | None:
    """What is wrong where a source gives both fields; None if they can be true together.

    A source may know better than the rule (3 and toàn trình, by post), but what is not filed online has no kind, and
    level 4 is the whole process by definition.
    """
    if level is None or whole is None:
        return None
    if level not in LEVELS:
        return f"level: must be 1 to 4; got {level}"
    if level not in ONLINE_LEVELS and whole:
        return f"level {level} is not filed online and cannot be the whole process (toàn trình)"
    if level == 4 and not whole:
        return "level 4 is the whole process (toàn trình); got một phần"
    return None
