"""Every metric of the hub, with meaning and unit. Labels never hold codes, ids or personal data.

`connection` is a subscriber's or source's name; `role` is the role's name; `kind` a short word of hub.errors.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

# --- connections -------------------------------------------------------------------------------------------------
LINK_UP = Gauge("hub_link_up", "1: the last call or probe of this connection succeeded, 0: it failed", ["connection"])
LINK_LAST_SUCCESS = Gauge("hub_link_last_success_seconds", "Unix time of the last success", ["connection"])
LINK_LAST_ERROR = Gauge("hub_link_last_error_seconds", "Unix time of the last error by kind", ["connection", "kind"])
LINK_OLDEST_UNDELIVERED = Gauge(
    "hub_link_oldest_undelivered_seconds", "Age of the oldest event accepted and not yet delivered", ["connection"]
)
LINK_PARKED = Gauge("hub_link_parked_dossiers", "Dossiers that wait for a retry", ["connection"])
LINK_HELD = Gauge("hub_link_held_dossiers", "Dossiers held behind a dead letter until an operator acts", ["connection"])
LINK_BREAKER_OPEN = Gauge("hub_link_breaker_open", "1: calls are held back after repeated failures", ["connection"])
DELIVERY_SECONDS = Histogram(
    "hub_delivery_seconds", "Duration of one delivery attempt", ["connection", "outcome"], buckets=_SECONDS
)
DELIVERY_CALLS = Gauge("hub_delivery_calls_in_flight", "Delivery attempts under way", ["connection"])
ACCEPTED_TO_DELIVERED_SECONDS = Histogram(
    "hub_accepted_to_delivered_seconds", "From acceptance to the receipt", ["connection"], buckets=_SECONDS
)

# --- flow --------------------------------------------------------------------------------------------------------
EVENTS_IN = Counter("hub_events_in", "Records read or received", ["role"])
EVENTS_OUT = Counter("hub_events_out", "Records written or delivered", ["role"])
EVENTS_REJECTED = Counter("hub_events_rejected", "Records refused at the door, by reason", ["role", "reason"])
EVENTS_DUPLICATE = Counter("hub_events_duplicate", "Records dropped as duplicates", ["role"])
EVENTS_RETRIED = Counter("hub_events_retried", "Delivery retries scheduled", ["role"])
EVENTS_DEAD_LETTERED = Counter(
    "hub_events_dead_lettered", "Dead letters written, by stage and reason", ["stage", "reason"]
)
LAG_RECORDS = Gauge("hub_lag_records", "Records between the committed offset and the log's end", ["role", "topic"])
LAG_SECONDS = Gauge("hub_lag_seconds", "Age of the record last worked", ["role", "topic"])

DEADLINES_TOLD = Counter("hub_deadlines_told", "Deadlines of dossiers told as events", ["kind"])
DEADLINES_AHEAD = Gauge("hub_deadlines_ahead", "Moments that the clock of this process waits for", ["role"])

CATALOGUE_COPY_AGE_SECONDS = Gauge(
    "hub_catalogue_copy_age_seconds", "Since the core's copy of the catalogue was last at its topics' end"
)

SATISFACTION_DUE = Gauge("hub_satisfaction_due", "Months of ratings that are due at the national portal and not sent")

# --- engine ------------------------------------------------------------------------------------------------------
CHUNK_SECONDS = Histogram("hub_chunk_seconds", "One chunk: step, writes confirmed, state", ["role"], buckets=_SECONDS)
CHUNK_RECORDS = Histogram("hub_chunk_records", "Records in a chunk", ["role"], buckets=(1, 10, 50, 100, 250, 500, 1000))
STATE_KEYS = Gauge("hub_state_keys", "Keys of state held by this process", ["role", "store"])
RESTORE_SECONDS = Gauge("hub_restore_seconds", "Duration of the last restore of state", ["role"])
RESTORE_LEFT = Gauge("hub_restore_left_records", "State records still to be read before work begins, at most", ["role"])
REBALANCES = Counter("hub_rebalances", "Partitions newly assigned", ["role"])
FOREIGN_WRITES = Counter("hub_state_foreign_writes", "State writes that did not land where expected", ["role"])
WATCHDOG_GAP_SECONDS = Gauge(
    "hub_watchdog_gap_seconds", "How long processed and the broker's committed offset have been apart", ["role"]
)

# --- reconciliation and supervision --------------------------------------------------------------------------------
DISCREPANCIES_OPEN = Gauge("hub_discrepancies_open", "Open differences by kind", ["connection", "kind"])
DISCREPANCIES_HEALED = Counter("hub_discrepancies_healed", "Differences closed by a receipt", ["connection", "kind"])
ROLE_UP = Gauge("hub_role_up", "1: the supervisor sees this role running", ["role"])
ROLE_RESTARTS = Counter("hub_role_restarts", "Restarts by the supervisor", ["role"])
ROLE_GIVEN_UP = Gauge("hub_role_given_up", "1: it kept dying and is left down", ["role"])
