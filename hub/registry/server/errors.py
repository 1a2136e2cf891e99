"""What the registry answers when it refuses: HTTP status, Confluent's error_code, Confluent's sentence."""

from __future__ import annotations

from hub.errors import HubError


class ApiError(HubError):
    """status: HTTP. code: `error_code` in the body, often the status with two more digits. retry_s: for Retry-After."""

    def __init__(self, status: int, code: int, message: str, retry_s: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_s = retry_s


def subject_not_found(subject: str) -> ApiError:
    return ApiError(404, 40401, f"Subject '{subject}' not found.")


def version_not_found(version: int) -> ApiError:
    return ApiError(404, 40402, f"Version {version} not found.")


def schema_not_found(schema_id: int | None = None) -> ApiError:
    return ApiError(404, 40403, "Schema not found" if schema_id is None else f"Schema {schema_id} not found")


def subject_soft_deleted(subject: str) -> ApiError:
    return ApiError(404, 40404, f"Subject '{subject}' was soft deleted.Set permanent=true to delete permanently")


def subject_not_soft_deleted(subject: str) -> ApiError:
    return ApiError(404, 40405, f"Subject '{subject}' was not deleted first before being permanently deleted")


def version_soft_deleted(subject: str, version: int) -> ApiError:
    message = f"Subject '{subject}' Version {version} was soft deleted.Set permanent=true to delete permanently"
    return ApiError(404, 40406, message)


def version_not_soft_deleted(subject: str, version: int) -> ApiError:
    message = f"Subject '{subject}' Version {version} was not deleted first before being permanently deleted"
    return ApiError(404, 40407, message)


def no_subject_config(subject: str) -> ApiError:
    return ApiError(404, 40408, f"Subject '{subject}' does not have subject-level compatibility configured")


def no_subject_mode(subject: str) -> ApiError:
    return ApiError(404, 40409, f"Subject '{subject}' does not have subject-level mode configured")


def incompatible(subject: str, details: list[str]) -> ApiError:
    message = f'Schema being registered is incompatible with an earlier schema for subject "{subject}", details: '
    return ApiError(409, 409, message + "[" + ", ".join(details) + "]")


def invalid_schema(detail: str) -> ApiError:
    return ApiError(422, 42201, f"Invalid schema, details: {detail}")


def invalid_version(text: str) -> ApiError:
    return ApiError(
        422, 42202,
        f"The specified version '{text}' is not a valid version id. "
        'Allowed values are between [1, 2^31-1] and the string "latest"',
    )  # fmt: skip


def invalid_level() -> ApiError:
    return ApiError(
        422, 42203,
        "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, "
        "forward_transitive, and full_transitive",
    )  # fmt: skip


def invalid_mode() -> ApiError:
    return ApiError(422, 42204, "Invalid mode. Valid values are READWRITE, READONLY, READONLY_OVERRIDE, and IMPORT.")


def not_permitted(message: str) -> ApiError:
    return ApiError(422, 42205, message)


def reference_exists(subject: str, version: int) -> ApiError:
    key = f"{{magic=1,keytype=SCHEMA,subject={subject},version={version}}}"
    return ApiError(422, 42206, f"One or more references exist to the schema {key}.")


def schema_too_large() -> ApiError:
    return ApiError(422, 42209, "Register operation failed because schema is too large")


def store_failed(what: str) -> ApiError:
    return ApiError(500, 50001, f"{what} operation failed while writing to the Kafka store")


def store_timed_out(what: str) -> ApiError:
    return ApiError(500, 50002, f"{what} operation timed out")
