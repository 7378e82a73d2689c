"""Threads, locks and processes that work together."""

from imle_core.concurrency.locks import OwnLock
from imle_core.concurrency.team import Team, share
from imle_core.concurrency.threads import at_once, in_threads
from imle_core.concurrency.worker_pool import WorkerPool

__all__ = ["OwnLock", "Team", "WorkerPool", "at_once", "in_threads", "share"]
