"""A role in miniature for the supervisor's tests: `fake_role.py FOLDER RUN_DIR ROLE`.

FOLDER/<role>.mode says how it behaves: absent or `ok` (ready, ends with 0 on SIGTERM), `die` (code 1 at once),
`cannot-start` (code 3 with a noted reason), `stubborn` (ignores SIGTERM), `slow` (answers late), `stuck` (says that it
is not live), `reading` (says that it is not ready yet). FOLDER/journal gets a line at each step.
"""

import http.server
import json
import os
import signal
import sys
import time
from pathlib import Path


class Ready(http.server.BaseHTTPRequestHandler):
    mode_file: Path

    def do_GET(self) -> None:
        mode = self.mode_file.read_text() if self.mode_file.exists() else "ok"
        if mode == "slow":
            time.sleep(0.2)
        bad = (mode, self.path) in (("stuck", "/live"), ("reading", "/ready"))
        why = "reads its state" if mode == "reading" else "it stands"
        body = json.dumps({"ok": not bad, "checks": {"loop": f"NOT ok: {why}" if bad else "ok: it turns"}}).encode()
        self.send_response(503 if bad else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def main(folder: Path, run_dir: Path, role: str) -> int:
    def note(step: str) -> None:
        with (folder / "journal").open("a") as journal:
            journal.write(f"{step} {role} {os.getpid()}\n")

    Ready.mode_file = mode_file = folder / f"{role}.mode"
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
