"""The layout of the tests: they mirror the package, a file a module, and every file is small."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).parent
ROOT = TESTS.parent
NOT_PACKAGED = {"tests", "benchmarks", "build", "docs", "results"}
FILES = sorted(TESTS.rglob("*.py"))
MODULES = [
    path.relative_to(ROOT)
    for path in sorted(ROOT.rglob("*.py"))
    if not (parts := path.relative_to(ROOT).parts)[0].startswith(".")
    and parts[0] not in NOT_PACKAGED
    and not path.name.startswith("__")
]
BESIDES = {
    "app/test_browser.py": "app/main app/diagnose app/combination",
    "app/test_diagnosis.py": "app/style app/spreadsheet",
    "app/test_explore.py": "app/charts app/pair app/pictures app/run_data",
    "app/test_processes.py": "app/console",
    "app/test_start.py": "app/pages app/preview app/watch",
    "app/test_target.py": "app/launch",
    "audit/test_copies.py": "steps/find_copies",
    "audit/test_sheets.py": "audit/summary",
    "audit/test_corrections.py": "audit/filled_tables",
    "bundling/test_fit.py": (
        "bundling/bundle_parts bundling/model_card bundling/run_facts bundling/combination bundling/fit_features "
        "bundling/fit_shortcuts bundling/manifest bundling/out_of_fold bundling/pictures"
    ),
    "bundling/test_fit_network.py": "serving/served_network bundling/export_network",
    "bundling/test_fit_own_code.py": "serving/served_code",
    "classifiers/cnns/test_contract.py": "classifiers/cnns/network_classifier classifiers/cnns/scratch",
    "classifiers/cnns/test_training.py": "classifiers/cnns/checkpoint classifiers/cnns/inputs",
    "classifiers/cnns/test_transfer.py": "classifiers/cnns/dense_head",
    "classifiers/test_contract.py": (
        "classifiers/bayes classifiers/boosting classifiers/neighbours classifiers/scaling"
    ),
    "cli/test_group.py": "cli/commands cli/app",
    "cli/test_list_names.py": "steps/catalogue steps/extractor_list",
    "cli/test_run.py": "cli/synthetic",
    "config/test_experiment.py": "config/images",
    "evaluation/statistics/test_analysis.py": (
        "evaluation/statistics/entry evaluation/statistics/measuring evaluation/statistics/tables"
    ),
    "evaluation/statistics/test_intervals.py": "evaluation/statistics/limits",
    "evaluation/test_folds.py": "evaluation/task",
    "evaluation/test_metrics.py": "evaluation/metric",
    "evaluation/test_network_runner.py": "steps/write_pixels",
    "evaluation/test_scheduling.py": "evaluation/expected_costs",
    "evaluation/test_runner.py": ("evaluation/grid evaluation/methods evaluation/scores evaluation/combination_names"),
    "features/test_engines.py": (
        "features/batch_engine features/keras_engine features/network_engine features/openvino_engine"
    ),
    "features/test_together.py": "features/network_extractor",
    "features/test_extractors.py": "features/custom_extractor features/extractor",
    "features/test_timm_extractor.py": (
        "features/torch_engine networks/timm_conversion networks/timm_models networks/timm_weights"
    ),
    "images/test_index.py": "images/identification",
    "images/test_layouts.py": "images/files",
    "images/test_losses.py": "images/listing",
    "images/test_reduced.py": "images/reading",
    "images/test_synthetic.py": "images/drawing",
    "networks/test_build.py": "networks/efficientnet_lite",
    "networks/test_openvino_graph.py": "networks/graph_pooling",
    "networks/test_network.py": "networks/shipped",
    "plugins/test_importing.py": "plugins/permission plugins/places",
    "reporting/report/test_first_look.py": (
        "reporting/report/sections/answer reporting/report/sections/methods reporting/report/sections/provenance "
        "reporting/report/sections/verdicts "
        "reporting/report/sections/winner"
    ),
    "reporting/report/test_glossary.py": "reporting/report/sections/glossary",
    "reporting/report/test_page.py": (
        "reporting/report/sections/curves reporting/report/sections/feature_map reporting/report/sections/worst "
        "reporting/report/numbers reporting/report/section reporting/report/sections/audit "
        "reporting/report/sections/calibration reporting/report/sections/classes reporting/report/sections/confusion "
        "reporting/report/sections/costs reporting/report/sections/heat reporting/report/sections/leaderboard "
        "reporting/report/sections/ledger reporting/report/sections/networks reporting/report/sections/notes "
        "reporting/report/sections/patients reporting/report/sections/protocol reporting/report/sections/stability "
        "reporting/report/sections/intervals reporting/report/sections/views"
    ),
    "reporting/report/test_site_section.py": "reporting/report/sections/sites",
    "reporting/report/test_label_sections.py": (
        "reporting/report/sections/failures reporting/report/sections/suspects reporting/report/sheet"
    ),
    "reporting/report/test_external_section.py": "reporting/report/sections/external",
    "reporting/test_external.py": "reporting/external_verdicts runs/external_answer",
    "reporting/figures/test_intervals.py": "reporting/figures/interval_chart",
    "reporting/figures/test_run_figures.py": (
        "reporting/figures/axes reporting/figures/calibration reporting/figures/confusion reporting/figures/costs "
        "reporting/figures/examples reporting/figures/heat_map reporting/figures/patients reporting/figures/points "
        "reporting/figures/stability reporting/figures/given_part reporting/figures/recalibration"
    ),
    "reporting/report/test_networks.py": "reporting/figures/losses",
    "reporting/test_methods.py": "reporting/references",
    "reporting/test_budget_words.py": "runs/budget_answer",
    "processes/test_executors.py": "processes/workers",
    "remote/test_listing.py": "remote/remembered",
    "images/test_pseudo_patients.py": "steps/group_pseudo_patients config/pseudo_patients",
    "runs/test_dask_executor.py": "runs/dask_connection runs/dask_worker runs/executors",
    "runs/test_answer.py": "runs/control_answer runs/label_answer runs/stored runs/view_answer",
    "runs/test_progress.py": "runs/log",
    "selection/test_contract.py": "selection/base selection/none",
    "serving/test_bundle.py": ("serving/output serving/prediction serving/fitted_model serving/request"),
    "serving/test_estimators.py": "classifiers/stored_trees",
    "serving/test_explanation.py": "serving/class_activation serving/explanation_output",
    "serving/test_training_facts.py": "bundling/measured_quantiles",
    "serving/test_training_reference.py": "bundling/build_reference",
    "steps/test_open_test.py": (
        "reporting/report/sections/given_test reporting/split_words runs/split_answer steps/score_sealed"
    ),
    "steps/test_score_views.py": (
        "evaluation/unchanged reporting/view_sheet steps/find_shortcut_errors steps/read_views"
    ),
    "steps/test_choose_methods.py": "classifiers/large_data",
    "steps/test_compare_costs.py": "features/speed",
    "steps/test_find_suspects.py": "steps/find_failures",
    "studies/test_comparison.py": "cli/compare",
    "studies/test_doctor.py": "cli/doctor studies/cache_check",
    "studies/test_external.py": (
        "cli/external studies/external_answer studies/external_bundle studies/external_images studies/external_model "
        "studies/external_run studies/external_scores"
    ),
    "studies/test_feature_export.py": "cli/features",
    "studies/test_learning_curve.py": "cli/learning_curve",
    "studies/test_leakage.py": "cli/leakage reporting/leakage_figure",
    "studies/test_same_images.py": "studies/pairing",
    "studies/test_track.py": "cli/track",
    "studies/test_run_list.py": "studies/best_run",
    "studies/test_verification.py": (
        "studies/recomputation studies/stored_results studies/prediction_file studies/prediction_rows "
        "studies/verified_answer studies/verified_files studies/verified_folds studies/verified_grid "
        "studies/verified_rerun studies/verified_test"
    ),
    "studies/test_plan.py": "studies/plan_trainings studies/plan_trials",
    "test_pipeline.py": (
        "runs/workspace steps/compute_statistics steps/extract_features steps/find_images "
        "steps/fit_combinations steps/make_grid steps/make_task steps/score_shortcuts steps/write_answer"
    ),
    "test_pipeline_reruns.py": "runs/folder steps/prepare_run",
}

"""File of tests -> the modules that it tests besides the one it is named for: they share its subject."""
TESTED_IN = {f"{module}.py": file for file, modules in BESIDES.items() for module in modules.split()}


def own_file(module: Path) -> Path:
    """Where the tests of a module stand."""
    return TESTS / module.parent / f"test_{module.name}"


def test_every_module_has_its_tests() -> None:
    for module in MODULES:
        if own_file(module).exists():
            assert str(module) not in TESTED_IN, f"{module} has a file of tests: remove it from TESTED_IN"
        else:
            assert str(module) in TESTED_IN, f"write tests/{module.parent}/test_{module.name}"
            assert (TESTS / TESTED_IN[str(module)]).exists()


def test_the_table_names_modules_that_exist() -> None:
    assert set(TESTED_IN) <= {str(module) for module in MODULES}


def test_files_of_tests_stay_small() -> None:
    assert not [str(path) for path in FILES if len(path.read_text().splitlines()) > 300]
