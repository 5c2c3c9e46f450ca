"""Ranks: processes, perhaps on several machines, that work on one run and were started by MPI.

No other module knows mpi4py. All ranks call the same methods in the same order.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import SettingError

T = TypeVar("T")

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

    def exchange(self, values: Sequence[T]) -> list[T]:
        """Send `values[r]` to rank r; returns what each rank sent to this one."""
        return list(values)

    def abort(self, status: int) -> None:
        """End the processes of all ranks; does nothing for one process alone."""

    def gather(self, value: T) -> list[T]:
        """Return the values of all ranks, on every rank."""
        return self.exchange([value] * self.size)

    def broadcast(self, value: T | None) -> T:
        """Return the value of rank 0, on every rank."""
        return self.gather(value if self.rank == 0 else None)[0]  # type: ignore[return-value]

    def exchange_arrays(self, parts: NDArray[Any], received: NDArray[Any]) -> None:
        """Send `parts[r]` to rank r, and set `received[r]` to what that sent to this one; all are of one shape."""
        received[:] = self.exchange(list(parts))

    def sum(self, array: NDArray[Any]) -> None:
        """Replace an array by its sum over all ranks, added in their order; each rank adds a part."""
        parts = np.resize(array, (self.size, -(-array.size // self.size)))  # a copy, with equal parts
        received = np.empty_like(parts)
        self.exchange_arrays(parts, received)
        parts[:] = sum(received[1:], received[0])
        self.exchange_arrays(parts, received)
        array[:] = received.reshape(-1)[: array.size].reshape(array.shape)

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


class MpiRanks(Ranks):
    """The ranks of a communicator of mpi4py."""

    def __init__(self, comm: Any) -> None:
        from mpi4py.util.pkl5 import Intracomm  # for objects of any size

        self._comm = Intracomm(comm)
        self.rank, self.size = comm.Get_rank(), comm.Get_size()
        self.hosts = self.gather(platform.node())

    def exchange(self, values: Sequence[T]) -> list[T]:
        """Send a value to each rank."""
        return list(self._comm.alltoall(list(values)))

    def exchange_arrays(self, parts: NDArray[Any], received: NDArray[Any]) -> None:
        """Exchange arrays without copies of them."""
        self._comm.Alltoall(parts, received)

    def broadcast(self, value: T | None) -> T:
        """Return the value of rank 0, which travels as a tree."""
        result: T = self._comm.bcast(value)
        return result

    def abort(self, status: int) -> None:
        """End all processes."""
        self._comm.Abort(status)


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
    try:
        from mpi4py import MPI

        ranks = MpiRanks(MPI.COMM_WORLD)
        if ranks.size > 1 or not (rank or size):
            return ranks
        problem = "the launcher is of another MPI"
    except (ImportError, RuntimeError) as error:  # there is no mpi4py, or no library of MPI
        problem = " ".join(str(error).split())
    raise SettingError(
        f"{size or 'several'} processes were started to work together, and mpi4py cannot be used ({problem}); "
        'install it with pip install "embedtrain[mpi]", and start with its mpiexec, or srun with SLURM_MPI_TYPE=pmi2'
    )
