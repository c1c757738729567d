"""Parts of the CDK as it builds them from a manifest, for tests of what stands around them."""

from typing import Any

from airbyte_cdk.sources.declarative.extractors.record_selector import RecordSelector
from airbyte_cdk.sources.utils.transform import TransformConfig, TypeTransformer

from calls_shared import PageRecords


def selector_of(stream: str, **more: Any) -> RecordSelector:
    """The selector of the records at `data`, which are left as they are."""
    return RecordSelector(
        **{
            "extractor": PageRecords("data"),
            "config": {},
            "parameters": {},
            "schema_normalization": TypeTransformer(TransformConfig.NoTransform),
            "name": stream,
            **more,
        }
    )
