"""The access log under logrotate: the file is moved away, and the signal harms nobody."""

import signal

from platform_process import Platform, eventually


def test_a_log_that_is_moved_away_begins_anew(tmp_path):
    platform = Platform(tmp_path / "data", "--set", "gateway.access_log_filters.status_codes=[\"200-299\"]")
    with platform:
        log = platform.data / "logs" / "access.log"
        platform.request("GET", "/api/health")
        eventually("a line is written", lambda: log.exists() and "/api/health" in log.read_text())
        moved = log.rename(log.with_suffix(".old"))
        platform.process.send_signal(signal.SIGUSR1)
        platform.request("GET", "/api/health?again")
        eventually("there is a new file", lambda: log.exists() and log.read_text().count("/api/health") == 1)
        assert moved.read_text().count("/api/health") == 1
        assert platform.process.poll() is None
