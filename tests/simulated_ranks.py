"""Ranks that threads of one process simulate."""

import pickle
import platform
from threading import Barrier, BrokenBarrierError

from embedtrain.machine.ranks import Ranks
from embedtrain.machine.threads import run_tasks


class Together(Ranks):
    """One of several ranks, see `together`."""

    def __init__(self, rank, meeting, places):
        self.rank, self.size, self.hosts = rank, len(places), [platform.node()] * len(places)
        self._meeting, self._places = meeting, places

    def exchange(self, values):
        """Return copies of what was sent."""
        self._places[self.rank] = [pickle.dumps(value) for value in values]
        self._meeting.wait()
        received = [pickle.loads(sent[self.rank]) for sent in self._places]
        self._meeting.wait()
        return received


def together(n, work):
    """Let n ranks work in threads of this process; returns their results, or raises the first exception of one."""
    meeting, places, errors = Barrier(n), [None] * n, []

    def run(rank):
        try:
            return rank, work(Together(rank, meeting, places))
        except BaseException as error:
            errors.append(error)
            meeting.abort()
            raise

    try:
        results = dict(run_tasks([run] * n, range(n)))
    except BrokenBarrierError:
        raise errors[0] from None
    return [results[rank] for rank in range(n)]
