"""A role in miniature for the supervisor's tests: `fake_role.py FOLDER RUN_DIR ROLE`.

FOLDER/<role>.mode says how it behaves: absent or `ok` (ready, ends with 0 on SIGTERM), `die` (code 1 at once),
`cannot-start` (code 3 with a noted reason), `stubborn` (ignores SIGTERM). FOLDER/journal gets a line at each step.
"""

import http.server
import json
import os
import signal
import sys
from pathlib import Path


class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def main(folder: Path, run_dir: Path, role: str) -> int:
    def note(step: str) -> None:
        with (folder / "journal").open("a") as journal:
            journal.write(f"{step} {role} {os.getpid()}\n")

    mode_file = folder / f"{role}.mode"
    mode = mode_file.read_text() if mode_file.exists() else "ok"
    note("start")
    if mode == "die":
        print("boom, said the role", file=sys.stderr)
        return 1
    name = role.replace(":", "_")
    run_dir.mkdir(parents=True, exist_ok=True)
    if mode == "cannot-start":
        (run_dir / f"{name}.exit").write_text(json.dumps({"code": 3, "reason": "the disk is full"}))
        return 3
    server = http.server.HTTPServer(("127.0.0.1", 0), Ready)
    told = {"role": role, "pid": os.getpid(), "observe": f"http://127.0.0.1:{server.server_address[1]}"}

    def stop(*_: object) -> None:
        note("stop")
        os._exit(0)

    signal.signal(signal.SIGTERM, signal.SIG_IGN if mode == "stubborn" else stop)
    (run_dir / f"{name}.json.new").write_text(json.dumps(told))
    (run_dir / f"{name}.json.new").replace(run_dir / f"{name}.json")
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
