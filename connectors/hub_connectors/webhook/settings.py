"""Settings of one webhook connection, as to the provincial portal (Cổng dịch vụ công của tỉnh)."""

from __future__ import annotations

from pydantic import AnyHttpUrl, Field

from hub.connect.subscriber_settings import HttpSettings


class WebhookSettings(HttpSettings):
    """Secrets beside it: `signing` (whsec_…), and during a rotation any more whose names begin with `signing`."""

    url: AnyHttpUrl = Field(description="where events are sent (POST)")
    timeout_s: float = Field(15.0, gt=0, description="one call, all of it (Standard Webhooks: 15 to 30 s)")
    max_answer_bytes: int = Field(65_536, ge=1024)
    personal_data: bool = Field(True, description="False: fields marked personal in the schema are sent as null")
