"""How the simulated portal behaves where public sources are silent; each is an option of the command."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

ADAPTER = "/XrdAdapter/RestService/forward/"
ProgressMode = Literal["append", "replace", "dedupe"]


class Options(BaseModel):
    """Codes are the decimal strings of error_code; each reply draws whether it goes out as number or as string."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    adapter_path: str = ADAPTER
    auth_endpoint: str = "mapi/login"
    integration_endpoint: str = "mapi/g"
    share_endpoint: str = "mapi/share"
    wrapper_path: str = "/KetNoiMotCuaQuocGia/"
    dstcode: str = Field("VN:GOV:000.00.00.G22:vpcpdvcprovider", description="empty: any")
    madonvi: str = Field("", description="empty: any")
    username: str = Field("", description="empty: any")
    password: str = Field("", description="empty: any but empty")
    session_s: float = 600.0
    one_session: bool = Field(False, description="a login ends the sessions before it")
    progress_mode: ProgressMode = "append"
    code_form: Literal["mixed", "number", "string"] = "mixed"
    exists_codes: tuple[str, ...] = ("0", "3", "-3")
    session_code: str = "-2"
    unknown_dossier_code: str = "2"
    limit_code: str = "5"
    login_code: str = "1"
    service_code: str = "6"
    error_code: str = Field("-1", description="processing error, of the fault partial_batch")
    catalogue: str = Field("", description="JSON file with procedures and online services; empty: only short lists")
    inbound_url: str = Field("", description="the province's /inbound/national-portal: where filed dossiers go")
