"""Load by wrk, whose clients cost the machine little: a script hands it the bodies in turn."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

THREADS = 2
# Each thread has every THREADS-th body. One that has asked all of its own stops, where each is to
# be asked once; its clock, not wrk's, says how long that took.
SCRIPT = """
local ffi = require("ffi")
ffi.cdef[[typedef struct { long s; long us; } tv; int gettimeofday(tv *, void *);]]
local function now()
  local t = ffi.new("tv")
  ffi.C.gettimeofday(t, nil)
  return tonumber(t.s) + tonumber(t.us) / 1e6
end
local threads = {}
function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end
function init(args)
  bodies, at, once, asked = {}, 0, args[2] == "once", 0
  local row = 0
  for line in io.lines(args[1]) do
    if row %% %(threads)d == number then table.insert(bodies, line) end
    row = row + 1
  end
  began, ended = nil, nil
end
function request()
  if began == nil and asked == 0 then began = now() end
  if at == #bodies then
    if once then
      if ended == nil then ended = now() end
      wrk.thread:stop()
    end
    at = 0
  end
  at, asked = at + 1, asked + 1
  return wrk.format("POST", nil, {["Content-Type"] = "application/json"}, bodies[at])
end
function done(summary, latency, requests)
  local seconds = summary.duration / 1e6
  local first, last = nil, nil
  for _, thread in ipairs(threads) do
    local b, e = thread:get("began"), thread:get("ended")
    if b and (first == nil or b < first) then first = b end
    if e and (last == nil or e > last) then last = e end
  end
  if last then seconds = last - first end
  io.stderr:write(string.format(
    '{"requests": %%d, "seconds": %%f, "p50": %%f, "p99": %%f, "bad": %%d, "broken": %%d}',
    summary.requests, seconds, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
"""


@dataclass(frozen=True)
class Seen:
    """What wrk saw: seconds, milliseconds, replies that were not good, connections that broke."""

    requests: int
    seconds: float
    p50: float
    p99: float
    bad: int
    broken: int
    cpu_s: float


def there() -> bool:
    """Whether wrk is installed."""
    return shutil.which("wrk") is not None


def run(
    port: int,
    bodies: Sequence[Any],
    *,
    clients: int,
    seconds: float,
    once: bool,
    path: str = "/v1/recommend",
) -> Seen:
    """Ask for so many seconds, or until each body was asked ``once``, whichever is earlier."""
    with tempfile.TemporaryDirectory() as folder:
        script, lines = Path(folder) / "load.lua", Path(folder) / "bodies.jsonl"
        script.write_text(SCRIPT % {"threads": THREADS})
        lines.write_text("".join(json.dumps(one) + "\n" for one in bodies))
        command = ["wrk", f"-t{THREADS}", f"-c{clients}", f"-d{max(round(seconds), 1)}s"]
        command += ["--latency", "--timeout", "30s", "-s", str(script)]
        command += [f"http://127.0.0.1:{port}{path}", "--", str(lines), "once" if once else "again"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode or not done.stderr.strip().startswith("{"):
        raise SystemExit(f"wrk ended with {done.returncode}: {done.stderr}{done.stdout}")
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Seen(**json.loads(done.stderr), cpu_s=used)
