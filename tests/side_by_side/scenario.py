"""A scenario, and what comes of playing it with both daemons."""
import dataclasses
import difflib
import pathlib
import re
import tempfile

import masks
from machine import Ports, Trouble
from stage import SERVICE_LOG, Stage

LINES_SHOWN = 25  # of each file, when something is wrong

ALWAYS_COMPARED = ("Started working", "Exiting")


@dataclasses.dataclass
class Scenario:
    """Files, and what is done with a daemon that serves them.

    In the files and arguments @dir@ is the directory, @report@ a program that prints
    what it finds itself with, and any other @name@ the port of that name. A line
    after `xinetd:` or `usherd:` is there for that daemon alone.
    """

    name: str
    conf: str = ""                    # the main file
    steps: tuple = ()
    before: tuple = ()                # steps before the daemon is started
    files: dict = dataclasses.field(default_factory=dict)
    masks: tuple = ()                 # beyond masks.ALWAYS
    messages: tuple = ()              # patterns of the main log's lines that are compared,
                                      # beyond ALWAYS_COMPARED
    logs: tuple = (SERVICE_LOG,)
    arguments: tuple = ()
    environment: dict = dataclasses.field(default_factory=dict)
    in_order: bool = True             # the log lines are
    starts: bool = True               # whether a daemon is started before the steps
    has_canary: bool = True
    lasting_servers: int = 0          # that may be there without a client
    bound_later: tuple = ()           # services that bind names, which usherd looks up meanwhile
    was_too_slow: bool = False        # this time, see steps.within

    def compares(self, message):
        return any(re.search(pattern, message) for pattern in (*ALWAYS_COMPARED, *self.messages))

    def masked(self, result, without=None):
        """A copy of result with all that may differ masked."""
        result = result.copy()
        for mask in (*self.masks, *masks.ALWAYS):
            if mask is not without:
                mask(result)
        if self.in_order:
            masks.pids(result)
        else:
            masks.substitute(result, r"pid=[1-9]\d*", "pid=P")
            for lines in (*result.logs.values(), result.messages):
                lines.sort()
        return result


def play(scenario, daemon, directory, ports, leader=None):
    """The stage after the last step, with its result."""
    stage = Stage(daemon, scenario, directory, ports, leader)
    try:
        stage.write(scenario.files)
        stage.write_main(scenario.conf)
        for step in scenario.before:
            step(stage)
        if scenario.starts:
            stage.start()
        for step in scenario.steps:
            step(stage)
        stage.stop()
        stage.result = stage.snapshot()
    except Trouble as trouble:
        raise Trouble(f"{trouble}\n{evidence(stage)}") from trouble
    finally:
        stage.clean_up()
    return stage


def evidence(stage):
    """The ends of a stage's files."""
    parts = []
    for name in ("main.conf", "main.log", *stage.scenario.logs, "output"):
        path = stage.directory / name
        if path.exists():
            lines = path.read_text(errors="replace").splitlines()
            parts += [f"--- {stage.daemon}: {name}", *lines[-LINES_SHOWN:]]
    return "\n".join(parts)


def shown_bytes(what, came):
    pieces = came.splitlines(keepends=True) if isinstance(came, bytes) else [came]
    return [f"{what}: {piece!r}" for piece in pieces or [came]]


def shown(result):
    """Line for line what is compared."""
    lines = ["[received]"]
    for what, came in result.received:
        lines += shown_bytes(what, came)
    for name, log in result.logs.items():
        lines += [f"[{name}]", *log]
    lines += ["[main log]", *result.messages]
    lines += ["[sockets]", *(f"{when}: {' '.join(sockets)}" for when, sockets in result.sockets)]
    return lines + ["[statuses]", *(f"{what}: {status}" for what, status in result.statuses)]


def difference(one, other):
    return "\n".join(difflib.unified_diff(shown(one), shown(other), one.daemon, other.daemon,
                                          lineterm="", n=3))


def idle_masks(scenario, one, other):
    """Those of the scenario's masks without which both sides are the same."""
    return [mask.__qualname__.split(".")[0] for mask in scenario.masks
            if not difference(scenario.masked(one, mask), scenario.masked(other, mask))]


def compare(scenario, show=None):
    """What is wrong after playing scenario with both; "" when nothing is. show is
    called with a result that was compared."""
    with tempfile.TemporaryDirectory(prefix="side-by-side-") as place:
        root = pathlib.Path(place)
        root.chmod(0o755)
        ports = Ports()
        try:
            stages = []
            for daemon in ("xinetd", "usherd"):
                directory = root / daemon
                directory.mkdir()
                stages.append(play(scenario, daemon, directory, ports, *stages))
            one, other = (scenario.masked(stage.result) for stage in stages)
            if show:
                show("\n".join(shown(one)))
            differences = difference(one, other)
            if differences:
                return "\n".join([differences, *map(evidence, stages)])
            idle = idle_masks(scenario, *(stage.result for stage in stages))
            return f"masks that mask nothing: {', '.join(idle)}" if idle else ""
        finally:
            ports.close()
