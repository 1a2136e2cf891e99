"""Names for what has no record of the hub: what others say in JSON, and tables of settings as they were given.

None of it is a datum. A step, an event, a state, an entry of a catalogue is a record (`hub.avro.records`).
"""

from __future__ import annotations

from typing import Any

JsonObject = dict[str, Any]
"""A JSON object: a document whose form another system or standard says, or one that is written for people and
scripts (an answer of an API, a page's values, a report)."""

SettingsTable = dict[str, Any]
"""Settings as they were given (TOML, a call, a command line), before the model reads them that knows their form."""

Arguments = dict[str, Any]
"""Arguments by name, for a function or class that is not ours."""
