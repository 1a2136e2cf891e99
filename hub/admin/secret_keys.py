"""The hub's own key: made, looked at, rotated; and subscribers' secrets sealed with it (docs/secrets.md).

Killed anywhere, a rotation is only begun anew: the old key stays in the file until no secret needs it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hub.config import Settings
from hub.control import key_ring
from hub.control.audit import Actor, Target, acting
from hub.control.changes import Change, change
from hub.control.directory import Directory, directory
from hub.control.records import Subscriber
from hub.control.vault import Vault, has_clear, is_reference, is_sealed, key_of, vault
from hub.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Standing:
    """How one secret stands in `hub.control`. how: `sealed`, `reference`, `clear`. key: of a sealed one. opens: whether
    this process can use it; why: what is wrong otherwise."""

    subscriber: str
    name: str
    how: str
    key: str
    opens: bool
    why: str


async def standing(settings: Settings) -> list[Standing]:
    """Every secret of every subscriber; no value is shown."""
    keeper = vault(settings)
    async with directory(settings) as copy:
        return [_one(keeper, sub.name, name, value) for sub, name, value in _all(copy)]


async def seal(settings: Settings, by: Actor) -> list[str]:
    """Seals what stands in clear, or under an older key; names of the subscribers whose record was written anew.

    ConfigError: there is no key, or one is needed that is not here.
    """
    keeper = vault(settings)
    async with directory(settings) as copy:
        changed = [(old, new) for old in copy.subscribers.values() if (new := _anew(keeper, old)) is not None]
    for old, new in changed:
        async with acting(settings, by, "subscriber.seal", Target(kind="subscriber", name=new.name)) as act:
            await change(settings, Change(Subscriber, new.name, old, new), entry=act.done())
    return sorted(new.name for _, new in changed)


async def init(settings: Settings, by: Actor) -> list[str]:
    """Makes the key, unless there is one, and seals what stands in clear."""
    keeper = vault(settings)
    if not keeper.keys():
        wanted = sorted({one.key for one in await standing(settings) if one.how == "sealed"})
        if wanted:
            raise ConfigError(
                key_ring.FIELD,
                f"{keeper.key_file} is not there, and secrets are sealed with key {', '.join(wanted)}: bring that file "
                "here from the machine or the safe that has it; if it is lost, see docs/secrets.md",
            )
        key_ring.create(keeper.key_file)
    return await seal(settings, replace(by, why=by.why or "key made"))


async def rotate(settings: Settings, by: Actor) -> tuple[str, list[str]]:
    """(id of the new key, subscribers whose secrets it seals now). The old one stays in the file: copy the file to the
    other machines, then `drop_old`."""
    keeper = vault(settings)
    if not keeper.keys():
        raise ConfigError(key_ring.FIELD, f"there is no key in {keeper.key_file}; `hub secrets init` makes one")
    new = key_ring.add(keeper.key_file)
    return new.id, await seal(settings, by)


async def drop_old(settings: Settings) -> tuple[str, ...]:
    """Ids of the keys that went. ConfigError while a secret needs one of them."""
    keeper = vault(settings)
    keys = keeper.keys()
    if not keys:
        return ()
    needed = sorted({one.key for one in await standing(settings) if one.how == "sealed"} - {keys[0].id})
    if needed:
        raise ConfigError(key_ring.FIELD, f"key {', '.join(needed)} is still needed; `hub secrets seal` first")
    return key_ring.drop_old(keeper.key_file)


def _all(copy: Directory) -> list[tuple[Subscriber, str, str]]:
    found = sorted(copy.subscribers.items())
    return [(one, name, value) for _, one in found for name, value in sorted(one.secrets.items())]


def _one(keeper: Vault, subscriber: str, name: str, value: str) -> Standing:
    how = "sealed" if is_sealed(value) else "reference" if is_reference(value) else "clear"
    try:
        keeper.open(subscriber, name, value)
    except ConfigError as error:
        return Standing(subscriber, name, how, key_of(value) if how == "sealed" else "", False, str(error))
    return Standing(subscriber, name, how, key_of(value) if how == "sealed" else "", True, "")


def _anew(keeper: Vault, old: Subscriber) -> Subscriber | None:
    sealed = keeper.sealed_anew(old.name, old.secrets) if _needs(keeper, old) else old.secrets
    return None if sealed == old.secrets else old.model_copy(update={"secrets": sealed})


def _needs(keeper: Vault, old: Subscriber) -> bool:
    present = {key.id for key in keeper.keys()[:1]}
    return has_clear(old.secrets) or any(
        is_sealed(value) and key_of(value) not in present for value in old.secrets.values()
    )
