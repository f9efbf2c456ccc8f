"""Many workers on many machines: procrastinate on PostgreSQL wakes them, and each wake names the one item that is due."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy.engine import make_url

from portal.delivery import wakes
from portal.delivery.tools import Tools
from portal.delivery.worker import Engine, Pace, turn
from portal.errors import Misconfigured

if TYPE_CHECKING:
    from procrastinate import App

log = structlog.get_logger()
POLL, BEAT, DEAD, AGAIN = 1.0, 5.0, 15.0, 1.0
"""Seconds: between two looks for wakes that became due, between two signs of life, without one a worker counts as dead,
before the engine is started again after the database was away."""


def engine(url: str, tools: Tools, pace: Pace) -> Engine:
    """What takes the place of the hands in `worker.run`. Raises Misconfigured when procrastinate is not installed."""
    app = _app(url, tools, pace.hands)

    def run(stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                asyncio.run(_serve(app, stop, pace))
            except Exception as fault:  # the broker is the database: it may be away for a while
                log.error("engine stopped", fault=type(fault).__name__)
            stop.wait(AGAIN)

    return run


def _app(url: str, tools: Tools, hands: int) -> "App":
    try:
        from procrastinate import App, PsycopgConnector
    except ImportError as missing:
        raise Misconfigured(wakes.MISSING) from missing
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connector = PsycopgConnector(
        conninfo=address,
        kwargs={"options": "-c search_path=procrastinate"},
        min_size=1,
        max_size=hands + 3,
        timeout=5,
        reconnect_timeout=5,
    )
    app = App(connector=connector)

    @app.task(name=wakes.TASK, queue=wakes.QUEUE)
    async def deliver(item_id: str) -> None:
        await _in_a_thread(lambda: turn(tools, item_id))

    return app


async def _in_a_thread(work: Callable[[], object]) -> None:
    """A thread that may be left behind at the end: its item's lease runs out and the next worker looks first."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def run() -> None:
        try:
            work()
        finally:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(_set, done)

    threading.Thread(target=run, name="hand", daemon=True).start()
    await done


def _set(done: "asyncio.Future[None]") -> None:
    if not done.done():
        done.set_result(None)


async def _serve(app: "App", stop: threading.Event, pace: Pace) -> None:
    """Until `stop`, or until the broker fails."""
    async with app.open_async():
        worker = asyncio.create_task(
            app.run_worker_async(
                queues=[wakes.QUEUE],
                concurrency=pace.hands,
                fetch_job_polling_interval=POLL,
                shutdown_graceful_timeout=pace.drain,
                update_heartbeat_interval=BEAT,
                stalled_worker_timeout=DEAD,
                delete_jobs="always",
                install_signal_handlers=False,
            )
        )
        beside = [asyncio.create_task(_until(stop)), asyncio.create_task(_bury(app))]
        try:
            await asyncio.wait({worker, *beside}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (worker, *beside):
                task.cancel()
            ended: list[Any] = await asyncio.gather(worker, *beside, return_exceptions=True)
    for fault in ended:
        if isinstance(fault, Exception):
            raise fault


async def _until(stop: threading.Event) -> None:
    while not stop.is_set():
        await asyncio.sleep(0.1)


async def _bury(app: "App") -> None:
    """A wake whose worker died is thrown away: when the item is due again the sweep makes a new one."""
    from procrastinate.jobs import Status

    while True:
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD):
            if job.id is not None:
                await app.job_manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)
        await asyncio.sleep(DEAD)
