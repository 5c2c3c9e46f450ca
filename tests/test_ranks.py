"""Ranks: what they exchange, simulated in one process and over MPI, and how a launcher is recognised."""

import sys
from threading import get_ident

import numpy as np
import pytest
from mpi import run_ranks, start_ranks  # noqa: F401  # fixtures
from simulated_ranks import together

from embedtrain.errors import DataError, SettingError
from embedtrain.machine import ranks as module
from embedtrain.machine.ranks import Ranks, as_ranks, launched, launched_ranks

WAYS = """
import sys
import numpy as np
from mpi4py import MPI
from embedtrain.machine import ranks as module
from embedtrain.machine.ranks import as_ranks

module._AT_ONCE = 7
ranks = as_ranks(MPI.COMM_WORLD)
"""
EXCHANGES = """
numbers = np.random.default_rng(ranks.rank).normal(size=(3, 5)).astype(np.float32)
added = numbers.copy()
ranks.sum(added)
whole = np.arange(4) + ranks.rank
ranks.sum(whole)
few = np.full(1, 1 / 3)
ranks.sum(few)
ranks.sum(np.zeros(0))
parts = ranks.gather(numbers)
in_order = parts[0].copy()
for part in parts[1:]:
    in_order += part
assert np.array_equal(added, in_order)
assert whole.tolist() == [ranks.size * i + sum(range(ranks.size)) for i in range(4)]
assert few[0] == sum([1 / 3] * ranks.size)
assert ranks.broadcast(["from", ranks.rank]) == ["from", 0]
assert ranks.exchange([(ranks.rank, to) for to in range(ranks.size)]) == [
    (sender, ranks.rank) for sender in range(ranks.size)
]
assert len(ranks.hosts) == ranks.size
"""
VARIABLES = ["PMIX_RANK", *(name for pair in module._LAUNCHERS for name in pair)]


@pytest.fixture
def launcher(monkeypatch):
    """A function that sets the variables of a launcher, and no others."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    launched_ranks.cache_clear()
    yield lambda **variables: [monkeypatch.setenv(name, value) for name, value in variables.items()]
    launched_ranks.cache_clear()


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_simulated_ranks_exchange(n):
    def work(ranks):
        exec(compile(EXCHANGES, "exchanges", "exec"), {"np": np, "ranks": ranks})
        return ranks.rank, get_ident()

    results = together(n, work)
    assert [rank for rank, _ in results] == list(range(n))
    assert len({thread for _, thread in results}) == n


def test_one_process_is_a_rank():
    exec(compile(EXCHANGES, "exchanges", "exec"), {"np": np, "ranks": Ranks()})


@pytest.mark.clients
@pytest.mark.parametrize("n", [1, 2, 3])
def test_processes_exchange(n, run_ranks):  # noqa: F811
    assert run_ranks(n, "-c", WAYS + EXCHANGES) == (0, "", "")


def test_received_objects_are_copies():
    def work(ranks):
        mine = np.full(3, ranks.rank)
        others = ranks.gather(mine)
        mine[:] = 9
        ranks.gather(None)
        return [other[0] for other in others]

    assert together(3, work) == [[0, 1, 2]] * 3


def test_an_exception_of_a_simulated_rank_ends_all():
    def work(ranks):
        if ranks.rank == 1:
            raise DataError("no text")
        ranks.gather(0)

    with pytest.raises(DataError, match="no text"):
        together(3, work)


def test_ranks_of_a_setting():
    assert as_ranks(None).size == 1
    one = Ranks()
    assert as_ranks(one) is one
    with pytest.raises(SettingError, match="ranks must be a communicator of mpi4py"):
        as_ranks(4)


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({}, (0, 1)),
        ({"PMI_SIZE": "4", "PMI_RANK": "3"}, (3, 4)),
        ({"OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "1", "PMIX_RANK": "1"}, (1, 2)),
        ({"SLURM_STEP_NUM_TASKS": "8", "SLURM_PROCID": "5"}, (5, 8)),
        ({"SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0"}, (0, 1)),
        ({"SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0", "PMI_SIZE": "4", "PMI_RANK": "2"}, (2, 4)),
        ({"PMIX_RANK": "2"}, (2, 0)),
        ({"PMI_SIZE": "many"}, (0, 1)),
    ],
    ids=["none", "mpich", "openmpi", "slurm", "slurm-one", "mpich-in-slurm", "pmix", "nonsense"],
)
def test_launchers(variables, found, launcher):
    launcher(**variables)
    assert launched() == found


def test_a_launcher_without_mpi4py(launcher, monkeypatch):
    launcher(PMI_SIZE="4", PMI_RANK="1")
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    with pytest.raises(SettingError, match=r'4 processes.*mpi4py cannot be used.*pip install "embedtrain\[mpi\]"'):
        launched_ranks()


def test_no_launcher_needs_no_mpi4py(launcher, monkeypatch):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    assert launched_ranks().size == 1


@pytest.mark.clients
def test_the_launcher_of_another_mpi(run_ranks):  # noqa: F811
    code = (
        "import os; os.environ['OMPI_COMM_WORLD_SIZE'] = '2'\n"
        "from embedtrain.machine.ranks import launched_ranks\n"
        "try: launched_ranks()\nexcept ValueError as error: print(error)"
    )
    status, out, _ = run_ranks(1, "-c", code)
    assert status == 0
    assert (
        "2 processes were started to work together, and mpi4py cannot be used (the launcher is of another MPI)" in out
    )
