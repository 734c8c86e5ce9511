"""`livepdf next`: the run ends here, and another begins, at people's word."""

import click


@click.command("next")
@click.argument("endpoint")
@click.option("--name", default="", help="Of the run that begins; else that of the series.")
@click.option("--timeout", default=5.0, show_default=True, help="s to wait for a reply.")
def next_run(endpoint: str, name: str, timeout: float) -> None:
    """End the run of the daemon at ENDPOINT here and begin another with the next frame.

    For another sample while the detector goes on: nothing is lost between the two, and each has a
    file of its own. Exit code 1 where no run is open, 4 when nobody answers.
    """
    from livepdf.wire.client import Client
    from livepdf.wire.messages import NextRunRequest

    client = Client(endpoint)
    try:
        client.ask(NextRunRequest(name=name), timeout)
    finally:
        client.close()
    click.echo("the next frame begins another run")
