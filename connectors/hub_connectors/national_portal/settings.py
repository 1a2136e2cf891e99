"""Settings of one connection to the national portal (Cổng Dịch vụ công quốc gia, DVCQG), docs/field/portal.md.

What no public source tells (codes of a dead session, how a refusal looks) is a setting with a cautious default.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AnyHttpUrl, Field, ValidationInfo, field_validator, model_validator

from hub.connect.subscriber_settings import HttpSettings
from hub_connectors.national_portal import names
from hub_connectors.national_portal.wire import WORDS

VPCP = "VN:GOV:000.00.00.G22:vpcpdvcprovider"
ASCII = r"^[\x21-\x7e]+$"
_WORDS_OF = {"applicant_kinds": "applicant_kind", "channels": "channel", "payment_codes": "online_payment"}
"""Setting -> table of mapping.json that has its words; of the others they are steps."""


class NationalPortalSettings(HttpSettings):
    """Secrets beside it: `password` (mode adapter), `token` (mode wrapper, optional bearer token of the LGSP)."""

    mode: Literal["adapter", "wrapper"] = Field(
        "adapter",
        description="adapter: X-Road style adapter with login; wrapper: the province's LGSP wraps each service",
    )
    adapter_url: AnyHttpUrl = Field(
        description="http://{security-server}:8080/XrdAdapter/RestService/forward/, or the LGSP"
    )
    auth_endpoint: str = "mapi/login"
    integration_endpoint: str = Field("mapi/g", description="dossiers (dịch vụ tích hợp)")
    share_endpoint: str = Field(
        "mapi/share", description="catalogues (dịch vụ chia sẻ); no public source names the path"
    )
    wrapper_path: str = "KetNoiMotCuaQuocGia"
    allow_private_networks: bool = Field(
        True, description="the adapter stands in the province's own network, as a rule; false: nowhere private"
    )
    madonvi: str = Field(min_length=1, max_length=35, description="the province's agency code at the portal")
    unit_name: str = Field("UBND tỉnh Bình Thuận", description="TenDonVi, beside madonvi")
    dstcode: str = Field(VPCP, pattern=ASCII, description="X-Road routing key")
    dstcode_in: Literal["header", "query"] = "header"
    username: str = ""

    session_s: float = Field(600.0, gt=0, description="log in again after so long (OpenCPS: 10 minutes)")
    timeout_s: float = Field(30.0, gt=0, description="one call, all of it (known clients: 6 s and 60 s)")
    max_answer_bytes: int = Field(8_388_608, ge=1024)
    max_fold: int = Field(50, ge=1, le=500, description="events of one dossier in one delivery")
    lines_per_call: int = Field(10, ge=1, le=10, description="progress lines a call (TD: 10)")

    success_words: tuple[str, ...] = Field(("thành công",), description="error_code 0 counts only with one of these")
    exists_codes: tuple[str, ...] = Field(("3", "-3"), description="the dossier exists: send as update")
    exists_words: tuple[str, ...] = ("đã tồn tại",)
    session_codes: tuple[str, ...] = Field(("-2",), description="the session is dead; no public source tells the code")
    session_words: tuple[str, ...] = ("phiên làm việc", "session")
    retry_codes: tuple[str, ...] = Field(("-1",), description="processing error: tried again later")
    not_found_codes: tuple[str, ...] = Field((), description="TraCuuHoSo of an unknown dossier, if not 0")

    later_additions: bool = Field(True, description="send the fields that came after QCVN 120 (KenhThucHien …)")
    field_names: dict[str, str] = Field(
        default_factory=dict,
        description="names of fields where the portal's differ: ours (also DongBoDanhGia.Madonvi) to its",
    )
    look_up_first: bool = Field(True, description="TraCuuHoSo before each dossier; false: add, and update if it exists")
    applicant_kinds: dict[str, str] = Field(default_factory=dict, description="overrides of LoaiDoiTuong by hub kind")
    channels: dict[str, str] = Field(default_factory=dict, description="overrides of KenhThucHien by hub channel")
    payment_codes: dict[str, str] = Field(
        default_factory=dict, description="overrides of DuocThanhToanTrucTuyen by the hub's 0 to 3"
    )
    by_post_tells: Literal["return", "filing"] = Field(
        "return", description="HinhThuc: how the result goes back (else how it came), or only how the dossier came"
    )
    untold: Literal["left_out", "empty"] = Field(
        "left_out", description="optional later fields that nobody told: not sent, or sent empty"
    )
    too_long: Literal["cut", "refuse"] = Field("cut", description="text over its limit: cut, or a dead letter")
    limits: dict[str, int] = Field(default_factory=dict, description="longest text by field, over mapping.json's")
    limit_units: Literal["utf16", "code_points"] = Field("utf16", description="what the limits count")
    step_texts: dict[str, str] = Field(default_factory=dict, description="NoiDungXuLy by step where nobody told any")
    no_line_for: tuple[str, ...] = Field((), description="steps that have no progress line, as RATED")
    filed_at: str = Field("2", description="NoiNopHoSo where nobody told (TD sends 2)")
    status_codes: dict[str, str] = Field(default_factory=dict, description="overrides of TrangThaiHoSo by hub status")
    answer_back: bool = Field(True, description="DongBoTrangThaiHoSo for dossiers that were filed on the portal")
    answer_codes: dict[str, str] = Field(
        default_factory=dict, description="overrides of its TrangThai by step (TD sends 11 for NOT_ACCEPTED)"
    )
    supplement_requested: str = Field("", description="TrangThaiBoSung of a request; no public source tells the code")
    supplement_given: str = Field("", description="TrangThaiBoSung once it was given")
    question_endpoint: Literal["share", "integration"] = Field(
        "share", description="where the lists of questions are asked for; answers always go to integration_endpoint"
    )
    question_dates: Literal["dd/MM/yyyy", "yyyyMMddHHmmss"] = Field("dd/MM/yyyy", description="NGAYTRALOI")
    very_content_from: int = Field(5, ge=2, le=5, description="stars from which a rating is rất hài lòng")
    content_from: int = Field(3, ge=2, le=5, description="stars from which a rating is hài lòng; below: chưa hài lòng")
    file_hosts: tuple[str, ...] = Field(
        (), description="hosts of the file stores: links to them are tried before a dossier is sent, and dead ones told"
    )
    file_timeout_s: float = Field(5.0, gt=0, description="of one link")
    probe_service: str = Field("LayDanhMucGioiTinh", description="a short catalogue: the cheapest call under a session")

    @field_validator("field_names")
    @classmethod
    def _names(cls, value: dict[str, str]) -> dict[str, str]:
        names.checked(value, {*names.KNOWN["call"], *names.KNOWN["answer"]}, names.KNOWN["services"])
        return value

    @field_validator("applicant_kinds", "channels", "payment_codes", "answer_codes", "step_texts", "no_line_for")
    @classmethod
    def _words(cls, value: Any, field: ValidationInfo) -> Any:
        words = WORDS[_WORDS_OF.get(str(field.field_name), "step_text")]
        for word in value:
            if word not in words:
                raise ValueError(f"{word!r} is none of {', '.join(words)}")
        return value

    @field_validator("limits")
    @classmethod
    def _limits(cls, value: dict[str, int]) -> dict[str, int]:
        for name, limit in value.items():
            if name not in names.KNOWN["call"] or limit < 2:
                raise ValueError(f"{name}: must be a field that is sent, with at least 2")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> NationalPortalSettings:
        if self.mode == "adapter" and not self.username:
            raise ValueError("mode adapter logs in: username must be set")
        if self.answer_back and not self.look_up_first:
            raise ValueError("answer_back needs look_up_first: only a dossier that the portal has can be answered")
        if self.content_from > self.very_content_from:
            raise ValueError("content_from must not be above very_content_from")
        return self
