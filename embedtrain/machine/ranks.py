"""Ranks: processes, perhaps on several machines, that work on one run and were started by MPI.

No other module knows mpi4py. All ranks call the same methods in the same order.
"""

from __future__ import annotations

import os
import pickle
import platform
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import SettingError
from embedtrain.machine.threads import Barrier, BrokenBarrierError, run_tasks

T = TypeVar("T")

_AT_ONCE = 1 << 22  # elements of a sum; bounds its memory
#: What launchers set: the number of processes and the number of this one. MPICH, Open MPI, Slurm.
_LAUNCHERS = (
    ("PMI_SIZE", "PMI_RANK"),
    ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),
    ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID"),
)


class Ranks:
    """The ranks of a run, as one of them sees them; this base class is one process alone."""

    rank = 0
    size = 1
    hosts: Sequence[str] = (platform.node(),)  # of each rank

    def __repr__(self) -> str:
        return f"<rank {self.rank} of {self.size}>"

    def sum(self, array: NDArray[Any]) -> None:
        """Replace a contiguous array by its sum over all ranks, added in their order."""

    def gather(self, value: T) -> list[T]:
        """Return the values of all ranks, on every rank."""
        return [value]

    def broadcast(self, value: T) -> T:
        """Return the value of rank 0, on every rank."""
        return value

    def exchange(self, values: Sequence[T]) -> list[T]:
        """Send `values[r]` to rank r; returns what each rank sent to this one."""
        return list(values)

    def abort(self, status: int) -> None:
        """End the processes of all ranks; does nothing for one process alone."""

    def of_first(self, compute: Callable[[], T]) -> T:
        """Return on every rank what rank 0 computes."""
        return self.broadcast(compute() if self.rank == 0 else None)  # type: ignore[return-value]

    def total(self, number: int) -> int:
        """Return the sum of a number over all ranks."""
        return sum(self.gather(number))

    def require_equal(self, what: str, value: Any) -> None:
        """Raise `SettingError` on all ranks if they have different values of something."""
        first, *others = self.gather(value)
        for rank, other in enumerate(others, 1):
            if other != first:
                raise SettingError(
                    f"{what} must be the same for all ranks: it is {first} on rank 0 ({self.hosts[0]}) and {other} on "
                    f"rank {rank} ({self.hosts[rank]})"
                )


ALONE = Ranks()


ALONE = Ranks()


class MpiRanks(Ranks):
    """The ranks of a communicator of mpi4py."""

    def __init__(self, comm: Any) -> None:
        from mpi4py.util.pkl5 import Intracomm  # for objects of any size

        self._arrays, self._objects = comm, Intracomm(comm)
        self.rank, self.size = comm.Get_rank(), comm.Get_size()
        self.hosts = self.gather(platform.node())

    def sum(self, array: NDArray[Any]) -> None:
        """Send each rank a part of the array to add; MPI's own sums may be in any order."""
        flat = array.reshape(-1)
        for begin in range(0, flat.size, _AT_ONCE):
            self._sum(flat[begin : begin + _AT_ONCE])

    def _sum(self, array: NDArray[Any]) -> None:
        from mpi4py import MPI

        borders = np.linspace(0, array.size, self.size + 1).astype(np.int64)
        parts = np.diff(borders), borders[:-1]
        own = array[borders[self.rank] : borders[self.rank + 1]]
        received = np.empty((self.size, own.size), array.dtype)
        places = [own.size] * self.size, [own.size * rank for rank in range(self.size)]
        self._arrays.Alltoallv([array, parts], [received, places])
        own[:] = received[0]
        for other in received[1:]:
            own += other
        self._arrays.Allgatherv(MPI.IN_PLACE, [array, parts])

    def gather(self, value: T) -> list[T]:
        """Return the values of all ranks."""
        return list(self._objects.allgather(value))

    def broadcast(self, value: T) -> T:
        """Return the value of rank 0."""
        result: T = self._objects.bcast(value)
        return result

    def exchange(self, values: Sequence[T]) -> list[T]:
        """Send a value to each rank."""
        return list(self._objects.alltoall(list(values)))

    def abort(self, status: int) -> None:
        """End all processes."""
        self._arrays.Abort(status)


class Together(Ranks):
    """One of several ranks that threads of this process simulate, see `together`."""

    def __init__(self, rank: int, meeting: Barrier, places: list[Any]) -> None:
        self.rank, self.size, self.hosts = rank, len(places), [platform.node()] * len(places)
        self._meeting, self._places = meeting, places

    def _meet(self, value: Any) -> list[Any]:
        """The values of all ranks, which none of them changes afterwards."""
        self._places[self.rank] = value
        self._meeting.wait()
        values = list(self._places)
        self._meeting.wait()
        return values

    def sum(self, array: NDArray[Any]) -> None:
        """Add copies in the order of the ranks."""
        first, *others = self._meet(array.copy())
        array[:] = first
        for other in others:
            array += other

    def gather(self, value: T) -> list[T]:
        """Return copies of all values."""
        return [pickle.loads(packed) for packed in self._meet(pickle.dumps(value))]

    def broadcast(self, value: T) -> T:
        """Return a copy of the value of rank 0."""
        return self.gather(value if self.rank == 0 else None)[0]  # type: ignore[return-value]

    def exchange(self, values: Sequence[T]) -> list[T]:
        """Return copies of what was sent."""
        sent = self._meet([pickle.dumps(value) for value in values])
        return [pickle.loads(packed[self.rank]) for packed in sent]


def together(n: int, work: Callable[[Ranks], T]) -> list[T]:
    """Let n ranks work in threads of this process; returns their results, or raises the first exception of one."""
    meeting, places, errors = Barrier(n), [None] * n, list[BaseException]()

    def run(rank: int) -> tuple[int, T]:
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


def as_ranks(ranks: Any) -> Ranks:
    """The ranks of the setting `ranks`: None, `Ranks`, or a communicator of mpi4py."""
    if isinstance(ranks, Ranks):
        return ranks
    if ranks is not None and not hasattr(ranks, "Get_rank"):
        raise SettingError(f"`ranks` must be a communicator of mpi4py, such as MPI.COMM_WORLD, got {ranks!r:.100}")
    return ALONE if ranks is None else MpiRanks(ranks)


def launched() -> tuple[int, int]:
    """The number of this process, and how many mpiexec, srun or the like started: 1 without them, 0 if unknown."""
    found = [(os.environ.get(rank, "0"), os.environ[size]) for size, rank in _LAUNCHERS if size in os.environ]
    if not found and "PMIX_RANK" in os.environ:
        found = [(os.environ["PMIX_RANK"], "0")]
    numbers = [(int(rank), int(size)) for rank, size in found if rank.isdigit() and size.isdigit()]
    return max(numbers, key=lambda pair: pair[1], default=(0, 1))


@lru_cache  # the communicator is made once
def launched_ranks() -> Ranks:
    """The ranks that a launcher has started; raises `SettingError` if there are several and MPI does not work."""
    rank, size = launched()
    if size == 1:
        return ALONE
    started = f"{size or 'several'} processes were started to work together"
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:  # there is no mpi4py, or no library of MPI
        raise SettingError(
            f"{started}, and mpi4py cannot be used ({' '.join(str(error).split())}); install it with "
            'pip install "embedtrain[mpi]", or start one process'
        ) from None
    ranks = MpiRanks(MPI.COMM_WORLD)
    if ranks.size == 1 and (rank or size):
        library = " ".join(MPI.Get_library_version().split())[:40]
        raise SettingError(
            f"{started}, but by the launcher of another MPI than that of mpi4py ({library}); use its mpiexec, or srun "
            "with --mpi=pmi2 or --mpi=pmix"
        )
    return ranks
