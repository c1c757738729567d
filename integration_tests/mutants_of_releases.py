"""Mutants of packages and images, and of what proves an image."""

from integration_tests.mutant import Mutant

IMAGES = "integration_tests/test_image.py"
PACKAGES = "integration_tests/test_packages.py"

MUTANTS_OF_RELEASES: tuple[Mutant, ...] = (
    Mutant(
        "the image's user has a name only",
        "Dockerfile",
        "USER 1000:1000",
        "USER airbyte",
        (f"{IMAGES}::test_the_image_is_started_as_the_platform_starts_it",),
    ),
    Mutant(
        "the image's packages have no hashes",
        "Dockerfile",
        "--require-hashes --requirement",
        "--requirement",
        (IMAGES,),
    ),
    Mutant(
        "a layer of another date is taken",
        "Dockerfile",
        """ \\\n    && echo "${SOURCE_DATE_EPOCH}" > /opt/connector/source-date-epoch""",
        "",
        (f"{IMAGES}::test_no_layer_of_an_earlier_build_with_another_date_is_taken",),
    ),
    Mutant(
        "buildah is not told the date that its layers are looked up by",
        "release/engines.py",
        'command += ["--build-arg", f"SOURCE_DATE_EPOCH={build.epoch}"]',
        'command += ["--build-arg", "SOURCE_DATE_EPOCH=0"]',
        (f"{IMAGES}::test_the_command_line_of_each_engine",),
    ),
    Mutant(
        "what a reader types keeps an old version",
        "integration_tests/versions.py",
        """_TYPED_IN = ("Dockerfile", "Makefile",""",
        """_TYPED_IN = ("Makefile",""",
        ("integration_tests/test_versions.py",),
    ),
    Mutant(
        "a client without an engine counts as one",
        "release/engines.py",
        "if done.returncode == 0:",
        "if done.returncode != 127:",
        (f"{IMAGES}::test_a_client_without_an_engine_is_passed_over",),
    ),
    Mutant(
        "pip's files outdo the environment",
        "release/pip_settings.py",
        '_SECTIONS = ("global", "install", ":env:")',
        '_SECTIONS = (":env:", "global", "install")',
        (f"{IMAGES}::test_what_pip_is_told_here_goes_into_a_build",),
    ),
    Mutant(
        "pip's settings can be read by all",
        "release/images.py",
        "file.touch(mode=0o600)",
        "file.touch(mode=0o644)",
        (IMAGES,),
    ),
    Mutant(
        "a call that is missing is no difference",
        "integration_tests/image/proofs.py",
        "truth.keys() - held.keys()",
        "held.keys() - held.keys()",
        (f"{IMAGES}::test_calls_are_compared_by_all_their_columns",),
    ),
    Mutant(
        "a file that was written is not seen",
        "integration_tests/image/inspection.py",
        "old ^ new",
        "old - new",
        (f"{IMAGES}::test_what_was_written_is_found",),
    ),
    Mutant(
        "a failed command counts as a good one",
        "integration_tests/image/container.py",
        "EXIT_CODE=$?\necho $((",
        "EXIT_CODE=0\necho $((",
        (f"{IMAGES}::test_a_command_gets_the_words_that_the_platform_gives",),
    ),
    Mutant(
        "packages bear the moment of their build",
        "release/packages.py",
        "VARIABLE: str(epoch)",
        "VARIABLE: str(into.stat().st_mtime_ns // 10**9)",
        (f"{PACKAGES}::test_equal_sources_give_equal_files_wherever_they_lie",),
    ),
    Mutant(
        "a source distribution holds what lies about",
        "source-skipcall-calls/pyproject.toml",
        'only-include = ["source_skipcall_calls"]',
        "",
        (f"{PACKAGES}::test_what_lies_about_in_a_folder_is_not_packed",),
    ),
    Mutant(
        "packages of several versions are built",
        "release/packages.py",
        "if {file.name for file in made} != {*file_names(root)}:",
        "if False:",
        (f"{PACKAGES}::test_packages_of_several_versions_are_refused",),
    ),
    Mutant(
        "a tool of the workspace is a dependency",
        "shared/pyproject.toml",
        '"pyyaml"]',
        '"pyyaml", "duckdb"]',
        (f"{PACKAGES}::test_the_runtime_lock_holds_what_a_connector_needs_and_nothing_else",),
    ),
)
