"""`livepdf run`: the daemon, from a checked start to a clean stop."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from livepdf.cli.serve import serve
from livepdf.errors import Complaint, ConfigError, LivepdfError

if TYPE_CHECKING:
    from livepdf.daemon.assemble import Prepared
    from livepdf.daemon.service import Service
    from livepdf.daemon.tape import Tape
    from livepdf.sinks.publishing import Sink
    from livepdf.sinks.recording import Recorder
    from livepdf.sources.source import Source

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("profile", type=_FILE)
@click.option("--recipe", type=_FILE, required=True, help="Sample and experiment, TOML.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory of the results; output.directory of the profile when left out.",
)
@click.option("--requests", help="Address for clients instead of the profile's; port 0 is free.")
@click.option("--runs", type=click.IntRange(min=1), help="Stop after this many runs.")
@click.option("--json", "as_json", is_flag=True, help="Print the final counters as JSON.")
@click.option("--strict", is_flag=True, help="Exit with 5 when frames were refused or lost.")
def run(
    profile: Path,
    recipe: Path,
    out: Path | None,
    requests: str | None,
    runs: int | None,
    as_json: bool,
    strict: bool,
) -> int:
    """Follow the detector of PROFILE and publish what its frames say about the sample.

    Both files are checked whole before anything starts. Then one line `ready ADDRESS` is
    printed: give that address to `livepdf gui`, `livepdf watch` or `livepdf status`. Every run
    becomes one NeXus file, readable while it grows. Ctrl-C or SIGTERM finishes what has come in,
    saves and stops; a second one stops at once.

    \b
    livepdf run beamtime/profile.toml --recipe beamtime/recipe.toml
    livepdf run profile.toml --recipe recipe.toml --out /data/pdf --runs 1 --json
    """  # noqa: D301  (\b is click's own mark)
    service = _service(profile, recipe, out=out, requests=requests, runs=runs)
    return serve(service, as_json=as_json, strict=strict)


def _service(
    profile: Path, recipe: Path, *, out: Path | None, requests: str | None, runs: int | None
) -> "Service":
    from livepdf.cli.check import check_files
    from livepdf.cli.warm import compiling_said
    from livepdf.daemon.assemble import prepare
    from livepdf.daemon.service import Service

    try:
        with compiling_said():
            prepared = prepare(profile, recipe)
    except ConfigError as error:
        # The addresses may be wrong as well, and everything is to be said at once.
        _, more = check_files(profile, recipe, requests=requests)
        raise ConfigError(list(dict.fromkeys([*error.complaints, *more]))) from None
    settings = prepared.settings.profile
    output = (out or settings.output.directory).resolve()
    tape = _tape(prepared, output)
    sinks = _sinks(prepared)
    try:
        service = Service(
            prepared,
            _source(prepared, tape),
            output=output,
            requests=requests or settings.wire.requests,
            results=settings.wire.results,
            runs=runs,
            lasting=True,
            tape=tape,
            sinks=sinks,
        )
    except LivepdfError:
        if tape is not None and tape.name:
            begun = output / tape.name
            tape.close()
            begun.unlink()  # nothing has been received
        raise
    _serve_metrics(prepared, service)
    return service


def _sinks(prepared: "Prepared") -> "list[tuple[str, Sink]]":
    """Make what results are published to beside the wire; complain about all that cannot be."""
    from livepdf.sinks.publishing import open_sink

    made, complaints = list["tuple[str, Sink]"](), list[Complaint]()
    for number, wanted in enumerate(prepared.settings.profile.publish):
        try:
            made.append((f"{wanted.kind} {number}", open_sink(wanted)))
        except (LivepdfError, OSError, RuntimeError) as error:
            key, file = f"publish.{number}", str(prepared.settings.profile_file)
            complaints.append(Complaint(file, key, str(error), "a sink that can be made"))
    if complaints:
        for _, sink in made:
            sink.close()
        raise ConfigError(complaints)
    return made


def _serve_metrics(prepared: "Prepared", service: "Service") -> None:
    """Serve numbers for Prometheus where the profile asks for that."""
    wanted = prepared.settings.profile.metrics
    if wanted is None:
        return
    from livepdf.daemon.metrics import serve_metrics

    try:
        server, _ = serve_metrics(
            wanted.port, service.metrics(), file=str(prepared.settings.profile_file)
        )
    except ConfigError:
        service.abandon()
        raise
    click.echo(f"metrics http://127.0.0.1:{server.server_port}/metrics", err=True)


def _source(prepared: "Prepared", tape: "Tape | None") -> "Source":
    """Make the source; its messages go to the tape as well, where it has some."""
    from livepdf.sources.open_source import make_source
    from livepdf.sources.stream_socket import StreamSource

    settings = prepared.settings.profile.source
    if tape is None:
        return make_source(settings)
    source = make_source(settings, tap=tape.put)
    if isinstance(source, StreamSource):
        tape.opening = lambda: source.opening
    return source


def _tape(prepared: "Prepared", output: Path) -> "Tape | None":
    """Return what records the stream when it is asked to; None where there is no stream."""
    from livepdf.daemon.tape import Tape
    from livepdf.sources.open_source import FEEDS

    settings = prepared.settings.profile
    if not settings.output.record and settings.source.kind not in FEEDS:
        return None
    tape = Tape(lambda: _recorder(prepared, output))
    if settings.output.record:
        tape.begin()
    return tape


def _recorder(prepared: "Prepared", output: Path) -> "Recorder":
    """Begin a recording beside the results; it goes along with the settings."""
    from livepdf.sinks.recording import Recorder
    from livepdf.sinks.recording_settings import attached_settings, origin_of
    from livepdf.sources.open_source import FEEDS
    from livepdf.sources.slow_recorded import names_to_attach

    settings = prepared.settings
    source = settings.profile.source
    if source.kind not in FEEDS:
        found = f"true with a source of kind {source.kind}"
        wanted = "false: only streams are recorded, files are there already"
        raise ConfigError([Complaint(str(settings.profile_file), "output.record", found, wanted)])
    attached = attached_settings(profile=settings.profile_file, recipe=settings.recipe_file)
    if settings.profile.slow:
        attached.append(
            names_to_attach([v.name for feed in settings.profile.slow for v in feed.value])
        )
    output.mkdir(parents=True, exist_ok=True)
    return Recorder(
        output / f"recording-{datetime.now():%Y%m%d-%H%M%S-%f}.mcap",
        origin=origin_of(source),
        attached=attached,
    )
