"""A Dask cluster of two workers: the same bytes, and a worker killed in the middle costs only its runs."""

import os
import signal
import threading
import warnings

import pytest

from opencram.errors import UsageError
from opencram.studies.api import dask_executor, run_study
from study_data import write_study


@pytest.fixture(scope="module")
def cluster():
    """Two real worker processes under nannies."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries that dask looks for
        from distributed import LocalCluster
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1", silence_logs=50
    ) as made:
        yield made


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_dask_gives_the_same_bytes_and_a_killed_worker_costs_only_its_runs(cluster, tmp_path):
    path = write_study(tmp_path)
    alone = run_study(path, tmp_path / "alone.parquet", runs=12)
    with dask_executor(cluster.scheduler_address) as (executor, threads):
        assert threads == 2
        there = run_study(path, tmp_path / "there.parquet", runs=12, executor=executor, workers=threads)
    assert there.path.read_bytes() == alone.path.read_bytes()

    victims = [info.process.pid for info in cluster.workers.values()]
    killed = []

    def kill_once(done, _all):
        if done >= 5 and not killed:
            killed.append(victims[0])
            os.kill(victims[0], signal.SIGKILL)

    with dask_executor(cluster.scheduler_address) as (executor, threads):
        after = run_study(path, tmp_path / "after.parquet", runs=12, executor=executor, workers=threads, tell=kill_once)
    assert killed
    assert after.path.read_bytes() == alone.path.read_bytes()


@pytest.mark.filterwarnings("ignore")
def test_no_scheduler_is_told():
    threads = threading.active_count()
    with pytest.raises(UsageError, match="no scheduler answers"), dask_executor("tcp://127.0.0.1:9", timeout_s=0.5):
        pass
    assert threading.active_count() <= threads + 3
