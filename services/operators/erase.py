"""`centralino erase`: forgets a customer everywhere, and waits for the reports."""

import json
import time
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import httpx
import typer
from rich.console import Console

from libs.runtime import PlatformSettings
from libs.web import TokenKeys, Tokens
from services.embedded import data_folder

_errors = Console(stderr=True)
_TIMEOUT_S: Final = 60.0
_TOKEN_S: Final = 3600
_LOOK_S: Final = 0.5


def erase(
    customer: Annotated[str, typer.Argument(help="Id of the customer; all who are the same person go too.")],
    reason: Annotated[str, typer.Option(help="On whose wish, by which case: it is kept.", max=500)],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the reports of all services.", min=0)] = 60,
    url: Annotated[str, typer.Option(help="The platform; without it the one on this machine.")] = "",
    token: Annotated[
        str, typer.Option(envvar="CENTRALINO_TOKEN", help="An admin's; without it one is signed with --data.")
    ] = "",
    data: Annotated[Path | None, typer.Option(help="The platform's data folder, to sign a token.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Forgets a customer everywhere. Ends with 0 when every service has reported, with 1 when some have not yet."""
    if not yes:
        typer.confirm(
            f"Forget customer {customer} in all services? This cannot be undone.", abort=True, err=True
        )
    settings = PlatformSettings(**({"data": data} if data else {}))  # type: ignore[arg-type]  # by name
    if not token:
        tokens = Tokens(TokenKeys.load_or_create(data_folder(settings) / "token-keys.json"))
        token = tokens.issue("erase", "admin", _TOKEN_S)
    address = (url or f"http://127.0.0.1:{settings.port}").rstrip("/")
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"{address}/ingest", headers=headers, timeout=_TIMEOUT_S) as client:
        body = {"customer_id": customer, "reason": reason}
        found = _asked(client, "POST", "/v1/erasures", json=body)
        found = _until_reported(client, found["erasure_id"], wait)
    if as_json:
        typer.echo(json.dumps(found, indent=1))
    else:
        for service, counts in sorted(found["reports"].items()):
            rows = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
            typer.echo(f"{service}: {rows or 'nothing of theirs'}")
        for service in found["missing"]:
            typer.echo(f"{service}: has not reported yet")
    raise typer.Exit(0 if found["state"] == "done" else 1)


def _until_reported(client: httpx.Client, erasure_id: str, wait: float) -> Any:
    until = time.monotonic() + wait
    with _errors.status("waiting for the reports"):
        while True:
            found = _asked(client, "GET", f"/v1/erasures/{erasure_id}")
            if found["state"] == "done" or time.monotonic() >= until:
                return found
            time.sleep(_LOOK_S)


def _asked(client: httpx.Client, method: str, path: str, **more: Any) -> Any:
    try:
        answer = client.request(method, path, **more)
    except httpx.HTTPError as error:
        _fail(f"{client.base_url} does not answer ({type(error).__name__}); does the platform run there?")
    if answer.status_code >= 400:
        try:
            said = answer.json()["detail"]
        except (ValueError, KeyError):
            said = answer.text[:200]
        _fail(f"{answer.status_code}: {said}")
    return answer.json()


def _fail(message: str) -> NoReturn:
    _errors.print(message, style="red", markup=False, soft_wrap=True, highlight=False)
    raise typer.Exit(2)
