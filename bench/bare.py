"""The least that takes a message durably: FastAPI, a model, one asyncpg insert, one commit: the limit beside ingest.

Usage: python -m bench.bare DATABASE_URL PORT
"""

import sys
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import uvicorn
from fastapi import FastAPI, Request
from pydantic import BaseModel
from sqlalchemy.engine import make_url

from libs.primitives import new_id
from libs.runtime import PlatformSettings


class Sender(BaseModel):
    external_id: str
    name: str


class Posted(BaseModel):
    channel: str
    sender: Sender
    text: str


class Taken(BaseModel):
    message_id: str


@asynccontextmanager
async def _life(app: FastAPI) -> Any:
    url = make_url(sys.argv[1])
    size = PlatformSettings().web_connections
    app.state.pool = await asyncpg.create_pool(
        user=url.username, database=url.database, host=str(url.query["host"]), min_size=size, max_size=size
    )
    await app.state.pool.execute(
        "CREATE TABLE IF NOT EXISTS bare (id text PRIMARY KEY, channel text, sender text, text text)"
    )
    yield
    await app.state.pool.close()


app = FastAPI(lifespan=_life)


@app.post("/messages", status_code=202)
async def post(posted: Posted) -> Taken:
    taken = new_id()
    await app.state.pool.execute(
        "INSERT INTO bare VALUES ($1, $2, $3, $4)",
        taken,
        posted.channel,
        posted.sender.external_id,
        posted.text,
    )
    return Taken(message_id=taken)


@app.post("/hooks")
async def hook(request: Request) -> dict[str, str]:
    """A webhook of WhatsApp Cloud, unverified: parsed, one row, one commit."""
    value = (await request.json())["entry"][0]["changes"][0]["value"]
    message = value["messages"][0]
    await app.state.pool.execute(
        "INSERT INTO bare VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        message["id"],
        "whatsapp",
        message["from"],
        message["text"]["body"],
    )
    return {}


if __name__ == "__main__":
    uvicorn.run(
        app, host="127.0.0.1", port=int(sys.argv[2]), access_log=False, log_level="warning", loop="uvloop"
    )
