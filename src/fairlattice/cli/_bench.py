"""``fairlattice bench``: the methods of the literature on real tables, resumable, with error bars."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairlattice.cli._options import add_options, check_jobs
from fairlattice.cli._skeleton import Files, Found, WrittenFile
from fairlattice.exceptions import InputError

if TYPE_CHECKING:
    from fairlattice.benchmark import BenchResults, Plugins, Settings
    from fairlattice.datasets import Dataset

NAME = "bench"
HELP = "run the methods of the literature on data sets; every finished trial is kept"
EPILOG = """\
examples:
  fairlattice bench list
  fairlattice bench run --datasets diabetes --methods logistic,logistic+equal --store trials.sqlite
  fairlattice bench run --datasets adult,acs_income --rows 20000 --data-dir data --store trials.sqlite
  fairlattice bench show trials.sqlite --format markdown

Stop it whenever you like: a second start goes on where the first was stopped."""
_LISTS = ("datasets", "methods", "experiments")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the three commands and their options."""
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    plain = argparse.RawDescriptionHelpFormatter
    run = commands.add_parser("run", help="run an experiment", allow_abbrev=False, formatter_class=plain)
    _add_run(run)
    kept = "interrupted; finished trials are kept, and the same command goes on."
    run.set_defaults(task=_run, interrupted=kept)
    show = commands.add_parser("show", help="tables and plots of what was run", allow_abbrev=False)
    show.add_argument("store", metavar="STORE", type=Path, help="the file that `bench run` kept results in")
    only = "only the methods of that experiment"
    add_options(show, experiment={"metavar": "NAME", "help": only}, **_OUTPUT)
    show.set_defaults(task=_show)
    known = commands.add_parser("list", help="data sets, methods, experiments", allow_abbrev=False)
    known.add_argument(
        "what", nargs="?", metavar="WHAT", help="datasets, methods, experiments, or a data set: its card"
    )
    add_options(known, "data_dir", "plugin")
    known.set_defaults(task=_list)


_OUTPUT: dict[str, dict[str, Any]] = {
    "format": {
        "default": "terminal", "metavar": "NAME", "help": "terminal (default), markdown, latex or csv",
    },
    "out": {
        "type": Path, "metavar": "FILE", "help": "write the table to a file instead (not for terminal)",
    },
    "json": {},
    "report": {},
}  # fmt: skip


def _add_run(parser: argparse.ArgumentParser) -> None:
    add_options(
        parser,
        datasets={
            "metavar": "A,B,…", "required": True,
            "help": "data sets by name, with options as in twitter:pool=no; see bench list",
        },
        experiment={
            "default": "tradeoff", "metavar": "NAME",
            "help": "tradeoff (default), axes, leveling, fidelity or ablation",
        },
        methods={
            "metavar": "A,B,…",
            "help": "other methods instead: METHOD or METHOD+STRATEGY, as in fairgrad+augment",
        },
        seeds={"type": int, "default": 5, "metavar": "N", "help": "splits (default 5)"},
        rows={"type": int, "metavar": "N", "help": "at most N rows of each data set (default all)"},
        extra_test={
            "type": int, "default": 0, "metavar": "N",
            "help": "test up to N of the rows beyond --rows too, so that rates of small groups are known better",
        },
        axes={"type": int, "metavar": "N", "help": "the first N attributes of each data set (default all)"},
        store={
            "type": Path, "default": Path("bench.sqlite"), "metavar": "FILE",
            "help": "where results are kept (default bench.sqlite)",
        },
        data_dir={
            "help": "folder with the data sets' own files; without it they are fetched where OpenML has them",
        },
        text_model={
            "type": Path, "metavar": "FOLDER",
            "help": "a local model of sentence-transformers for texts (default TF-IDF)",
        },
        image_weights={
            "metavar": "FILE", "help": "weights of ResNet18 for images, or imagenet: those of torchvision",
        },
        cache={"type": Path, "metavar": "FOLDER", "help": "keep vectors of texts and images there"},
        plugin={},
        notion={"help": "what is to be equal: equalized_odds (default) or equal_opportunity"},
        alpha={},
        margin={
            "type": float, "default": 0.03,
            "help": "loss of validation balanced accuracy allowed for fairness (default 0.03)",
        },
        per_cell={"help": "strategies with synthetic rows raise smaller cells to N rows (default 1000)"},
        split={
            "default": "random", "metavar": "HOW", "help": "random (default), or published: the authors' own split",
        },
        hidden={
            "default": "128,64,32", "metavar": "A,B,…",
            "help": "units of the network's hidden layers (default 128,64,32)",
        },
        dropout={
            "type": float, "default": 0.2, "help": "share of hidden units dropped in training (default 0.2)",
        },
        learning_rate={"type": float, "default": 1e-3, "help": "of Adam (default 0.001)"},
        steps={
            "type": int, "default": 2000, "metavar": "N",
            "help": "batches that every method is trained on (default 2000)",
        },
        batch_size={"type": int, "default": 128, "metavar": "N", "help": "rows of a batch (default 128)"},
        retry={"action": "store_true", "help": "run trials that failed before once more"},
        jobs={},
        **_OUTPUT,
    )  # fmt: skip


def check(arguments: argparse.Namespace) -> Files:
    """Options, before any work is done."""
    if arguments.task is _list:
        return Files()
    from fairlattice._validation import check_choice
    from fairlattice.report._shared import BENCH_FORMATS

    check_choice("--format", arguments.format, BENCH_FORMATS)
    if arguments.out is not None and arguments.format == "terminal":
        raise InputError("`--out` writes a table to a file: pass --format markdown, latex or csv with it.")
    written = (arguments.out, arguments.report, arguments.json)
    return Files((arguments.out,), (arguments.store, *_inputs(arguments, *written)))


def read(arguments: argparse.Namespace) -> None:
    """Nothing yet: each of the three commands reads what it needs."""


def compute(arguments: argparse.Namespace, data: None) -> Found:  # noqa: ARG001 - as every command has it
    """Do what the command says."""
    found: Found = arguments.task(arguments)
    return found


def _run(arguments: argparse.Namespace) -> Found:
    from fairlattice.benchmark import bench
    from fairlattice.cli._interrupt import worker_processes
    from fairlattice.cli._output import progress
    from fairlattice.cli._tables import check_writable

    check_jobs(arguments.jobs)
    plugins, settings = _plugins(arguments), _settings(arguments)
    settings.check()
    check_writable(arguments.store, inputs=_inputs(arguments))  # a store may lie among the data
    methods = None if arguments.methods is None else _names(arguments.methods, "--methods")
    datasets = _datasets(arguments)
    with worker_processes(arguments.jobs), progress("running") as bar:
        results = bench(
            datasets,
            arguments.store,
            experiment=arguments.experiment,
            methods=methods,
            seeds=arguments.seeds,
            rows=arguments.rows,
            axes=arguments.axes,
            extra_test=arguments.extra_test,
            settings=settings,
            plugins=plugins,
            retry=arguments.retry,
            n_jobs=arguments.jobs,
            progress=bar,
        )
    found = _found(arguments, results, None)
    if any(table.outcomes or table.fidelity or table.unfinished for table in results.tables):
        return found
    failure = "Every trial failed; see the errors above, mend their cause, and pass --retry."
    return replace(found, failure=failure)


def _datasets(arguments: argparse.Namespace) -> list[Dataset]:
    """The data sets named, with texts and images as vectors where that was asked for."""
    from fairlattice.benchmark._shared import with_vectors
    from fairlattice.cli._output import progress
    from fairlattice.datasets import load_dataset

    found = []
    for text in _names(arguments.datasets, "--datasets"):
        name, *options = text.split(":")
        data = load_dataset(name, arguments.data_dir, **dict(_option(name, part) for part in options))
        with progress(f"encoding {name}") as bar:
            model, weights = arguments.text_model, arguments.image_weights
            found.append(
                with_vectors(
                    data, text_model=model, image_weights=weights, cache=arguments.cache, progress=bar
                )
            )
    return found


def _option(name: str, text: str) -> tuple[str, Any]:
    """``pool=no`` as ``("pool", False)``."""
    key, sign, value = text.partition("=")
    if not sign or key in ("name", "data_dir"):
        raise InputError(f"`--datasets` has {name}:{text}. Options are written as in {name}:OPTION=VALUE.")
    return key, {"yes": True, "no": False}.get(value, value)


def _show(arguments: argparse.Namespace) -> Found:
    from fairlattice._validation import check_choice
    from fairlattice.benchmark._shared import EXPERIMENTS, Store, read_results

    if arguments.experiment is not None:
        check_choice("--experiment", arguments.experiment, tuple(EXPERIMENTS))
    return _found(arguments, read_results(Store(arguments.store, create=False)), arguments.experiment)


def _found(arguments: argparse.Namespace, results: BenchResults, experiment: str | None) -> Found:
    """The report, as text or as tables in another format."""
    from fairlattice.report import Report
    from fairlattice.report._shared import bench_table

    report = Report.of(results, experiment=experiment)
    view: str | None = None
    files: list[WrittenFile] = []
    if arguments.format != "terminal":
        view = bench_table(report.document, report.summary, arguments.format)
        if arguments.out is not None:
            content = view.encode()
            files.append((arguments.out, lambda target: target.write(content)))
            view = f"wrote {arguments.out}"
    failed = sum(len(table["failed"]) for table in report.summary["tables"])
    notes = [f"{failed} trials failed; --format terminal names them."] if failed else []
    return Found(report, view, files, notes)


def _inputs(arguments: argparse.Namespace, *written: Path | None) -> tuple[Path, ...]:
    """Files that are read: plugins, and those of the files to be written that lie among data or models."""
    names = ("data_dir", "text_model", "cache")
    folders = [f.resolve() for name in names if (f := getattr(arguments, name, None)) is not None]
    there = [path for path in written if path is not None and path.exists()]
    among = [path for path in there if set(folders) & set(path.resolve().parents)]
    weights = getattr(arguments, "image_weights", None)
    files = [*(getattr(arguments, "plugin", None) or ()), *([Path(weights)] if weights else ())]
    return (*files, *among)


def _settings(arguments: argparse.Namespace) -> Settings:
    from fairlattice.benchmark import Network, Settings

    try:
        hidden = tuple(int(units) for units in arguments.hidden.split(","))
    except ValueError as error:
        raise InputError(
            f"`--hidden` takes whole numbers, as in 128,64,32; got {arguments.hidden!r}."
        ) from error
    network = Network(
        hidden, arguments.dropout, arguments.learning_rate, arguments.steps, arguments.batch_size
    )
    return Settings(
        arguments.notion, arguments.alpha, arguments.margin, arguments.per_cell, arguments.split, network
    )


def _plugins(arguments: argparse.Namespace) -> Plugins:
    from fairlattice.benchmark import Plugins

    return Plugins.of(arguments.plugin or ())


def _names(text: str, option: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise InputError(f"`{option}` names nothing. See fairlattice bench list.")
    return names


def _list(arguments: argparse.Namespace) -> Found:
    from fairlattice._validation import check_choice
    from fairlattice.datasets import dataset_names, load_dataset
    from fairlattice.report._shared import bench_list_text, dataset_card

    methods = _plugins(arguments).load()
    if arguments.what is None or arguments.what in _LISTS:
        lists = _LISTS if arguments.what is None else (arguments.what,)
        return Found(view=bench_list_text(methods, lists))
    name = check_choice("WHAT", arguments.what, (*_LISTS, *dataset_names()))
    try:
        data = load_dataset(name, arguments.data_dir)
    except InputError as error:  # what is known without it can be read all the same
        return Found(view=dataset_card(name, None), notes=[str(error)])
    return Found(view=dataset_card(name, data))
