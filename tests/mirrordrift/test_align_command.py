"""`drift align`: from a dataset to a table, in a process as a person starts it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from preference_probes import made

from mirrordrift.aligning.plan import labelled, objective_of
from mirrordrift.aligning.results import kept_agents
from mirrordrift.render import compact
from symbolic.errors import ConfigError

QUICK = ("--set", "num_eval_episodes=4", "--set", "minibatch_pairs=8", "--epochs", "2",
         "--set", "hidden=[4]", "--allow-unproved")  # fmt: skip


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("data") / "base")


def test_objectives_are_compared_and_a_finished_run_says_the_same_again(
    run_drift,
    dataset: Path,
    tmp_path: Path,  # type: ignore[no-untyped-def]
) -> None:
    out = tmp_path / "run"
    done = run_drift(
        "align", "--objective", "orpo", "--objective", "dpo", "--dataset", dataset, "--seeds", "2",
        *QUICK, "--out", out, "--json", timeout=400,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *agents, table = map(json.loads, done.stdout.splitlines())
    assert [(a["objective"], a["seed"]) for a in agents] == [
        ("orpo", 0), ("orpo", 1), ("direct-preference", 0), ("direct-preference", 1),
    ]  # fmt: skip
    assert all(a["schema"] == "mirrordrift/align/1" and a["failed"] is None for a in agents)
    assert [a["reduction"] for a in agents] == ["mean", "mean", "sum", "sum"]
    means = [a["return_mean"] for a in agents]
    assert table["table"][0]["return_mean"] == pytest.approx(sum(means[:2]) / 2)
    again = run_drift("align", "--resume", out, timeout=400)
    assert again.returncode == 0, again.stderr
    assert compact(sum(means[:2]) / 2) in again.stdout and "difference: from orpo" in again.stdout
    assert (out / "returns.png").exists()
    assert [json.loads(line)["return_mean"] for line in
            (out / "results.jsonl").read_text().splitlines()[:4]] == means  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--objective", "orpp"), "did you mean orpo"),
        (("--objective", "log(x)"), "is no objective"),
        (("--objective", "log(x); log(y)"), "unknown name 'y'"),
        (("--objective", "orpo", "--objective", "orpo"), "orpo is given twice"),
        (
            ("--objective", "log(x); log(x); beta=2"),
            "no formula has it; leave it out; to change the objective's, say --beta",
        ),
        (("--objective", "log(x); log(x); log(z)"), "the link is no number at z = 0"),
        (("--objective", "log(x); log(x); 0/z*z - 1/0*z"), "the link is no number at z = 0"),
        (("--objective", "orpo", "--rows", "1000"), "rows=1000 must be from 1 to 20"),
        (("--objective", "orpo", "--set", "minibatch_pairs=99"), "more than the 20 pairs"),
        (("--objective", "orpo", "--set", "learning_rat=1"), "did you mean learning_rate"),
        (("--objective", "orpo", "--start", "nobody"), "nobody"),
        (("--objective", "orpo", "--beta", "-1"), "beta=-1.0 must be a finite number above 0"),
    ],
)
def test_bad_input_is_one_clear_message(
    drift,
    dataset: Path,
    tmp_path: Path,
    arguments: tuple[str, ...],
    said: str,  # type: ignore[no-untyped-def]
) -> None:
    unproved = () if "no number" in said else ("--allow-unproved",)
    done = drift("align", *arguments, "--dataset", dataset, "--out", tmp_path / "run", *unproved)
    assert done.code == 2
    assert said in done.err and "Traceback" not in done.err


def test_another_dataset_than_the_one_it_began_with_is_refused(
    run_drift,
    dataset: Path,
    tmp_path: Path,  # type: ignore[no-untyped-def]
) -> None:
    assert run_drift("align", "--objective", "orpo", "--dataset", tmp_path / "none", "--out",
                     tmp_path / "run").returncode == 2  # fmt: skip
    from mirrordrift.aligning.plan import load, opened, plan, save
    from rl.offline.config import OfflineConfig

    save(plan(["orpo"], dataset, seeds=[0], config=OfflineConfig()), tmp_path / "kept")
    record = json.loads((tmp_path / "kept" / "align.json").read_text())
    record["dataset"] = str(made(tmp_path / "other", seed=1))
    (tmp_path / "kept" / "align.json").write_text(json.dumps(record))
    with pytest.raises(ConfigError, match="is another dataset than the one"):
        opened(load(tmp_path / "kept"))


def test_settings_are_part_of_the_label() -> None:
    label, objective = objective_of("orpo", changes={"weight": 0.5})
    assert label == "orpo (weight=0.5)" and objective.weight == 0.5
    assert objective_of("log(x); a*log(x); a=2")[0] == "log(x); 2*log(x)"


def test_files_of_two_searches_have_two_labels(tmp_path: Path) -> None:
    from symbolic.catalogue.objectives import objectives
    from symbolic.preference.reading import save_objective

    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        save_objective(tmp_path / name / "objective.json", objectives["orpo"])
    save_objective(tmp_path / "mine.json", objectives["orpo"])
    paths = (tmp_path / "one" / "objective.json", tmp_path / "two" / "objective.json",
             tmp_path / "mine.json")  # fmt: skip
    assert [objective_of(str(path))[0] for path in paths] == ["one", "two", "mine"]
    (tmp_path / "other").mkdir()
    save_objective(tmp_path / "other" / "mine.json", objectives["dpo"])
    files = [str(tmp_path / "mine.json"), str(tmp_path / "other" / "mine.json")]
    assert list(labelled(files)) == ["mine", files[1]]
    assert list(labelled(files, changes={"beta": 2}))[1] == f"{files[1]} (beta=2)"
    with pytest.raises(ConfigError, match="mine is given twice"):
        labelled([files[0], str(tmp_path / "one" / ".." / "mine.json")])


def test_zero_is_a_value_of_a_flag() -> None:
    from mirrordrift.cli.align import Options
    from mirrordrift.cli.objectives import changes_of

    given = {"objective": ("simpo",), "dataset": "d", "out": "o"}
    assert changes_of(Options(**given)) == {}
    asked = changes_of(Options(**given, margin=0.0, label_smoothing=0.0))
    assert asked == {"margin": 0.0, "label_smoothing": 0.0}
    assert objective_of("simpo", changes=asked)[1].margin == 0.0


def test_from_python_an_alignment_goes_on_where_it_is_the_same(
    dataset: Path, tmp_path: Path
) -> None:
    from mirrordrift import align

    small = {"epochs": 1, "minibatch_pairs": 8, "hidden": (4,), "num_eval_episodes": 4}
    flat = objective_of("none; log(x); z")[1]
    first = align([flat], dataset, folder=tmp_path / "run", allow_unproved=True, **small)
    again = align([flat], dataset, folder=tmp_path / "run", allow_unproved=True, **small)
    assert again[0].score.return_mean == first[0].score.return_mean
    (agent,) = kept_agents(tmp_path / "run")
    assert agent["return_mean"] == pytest.approx(first[0].score.return_mean)
    with pytest.raises(ConfigError, match="another seeds"):
        align([flat], dataset, (1,), folder=tmp_path / "run", allow_unproved=True, **small)


def test_from_python_too_what_is_no_setting_is_told(dataset: Path) -> None:
    from mirrordrift import align

    with pytest.raises(ConfigError, match="did you mean learning_rate"):
        align(["orpo"], dataset, learning_rat=3)
    with pytest.raises(ConfigError, match=r"write range\(3\)"):
        align(["orpo"], dataset, seeds=3)


def test_one_command_at_a_time_is_at_work_in_a_folder(drift, dataset: Path, tmp_path: Path) -> None:
    from mirrordrift.aligning.plan import plan, save
    from mirrordrift.cli.alone import alone_in
    from rl.offline.config import OfflineConfig

    save(plan(["orpo"], dataset, seeds=[0], config=OfflineConfig()), tmp_path / "run")
    with alone_in(tmp_path / "run"):
        done = drift("align", "--resume", tmp_path / "run")
    assert done.code == 2 and "run: another command is at work in it" in done.err
    with alone_in(tmp_path / "run"):  # free again
        pass


def test_an_alignment_does_not_go_on_from_another_agent(dataset: Path, tmp_path: Path) -> None:
    from mirrordrift.aligning.plan import begin, plan
    from rl.offline.config import OfflineConfig

    def asked(start: str):
        return plan(["orpo"], dataset, seeds=(0,), config=OfflineConfig(), start=start)

    begin(asked("hopper-900"), tmp_path / "run")
    begin(asked("hopper-900"), tmp_path / "run")
    for start in ("hopper-1200", "scratch"):
        with pytest.raises(ConfigError, match=f"another start than {start}"):
            begin(asked(start), tmp_path / "run")


def test_nothing_is_written_before_the_input_is_checked(
    drift, dataset: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    assert drift("align", "--objective", "orpo", "--dataset", dataset, "--rows", "999", "--out", out,
                 "--allow-unproved").code == 2  # fmt: skip
    assert not out.exists()


def test_a_link_that_favours_the_rejected_is_refused(drift, dataset: Path, tmp_path: Path) -> None:
    done = drift("align", "--objective", "log(x); log(x); -z", "--dataset", dataset, "--out",
                 tmp_path / "run")  # fmt: skip
    assert done.code == 2 and "the link is less at z > 0 than at -z" in done.err
    assert not (tmp_path / "run").exists()
