"""KEDA's resources as strict models: there is no schema of them on the index, and KEDA drops unknown fields silently.

Fields and bounds after KEDA's API reference, version 2.17 (keda.sh/v1alpha1).
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Metadata(Strict):
    name: str = Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)
    namespace: str
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Named(Strict):
    name: str


class PostgresMetadata(Strict):
    query: str
    targetQueryValue: str = Field(pattern=r"^[0-9]+(\.[0-9]+)?$")  # noqa: N815
    activationTargetQueryValue: str = Field("0", pattern=r"^[0-9]+(\.[0-9]+)?$")  # noqa: N815


class Trigger(Strict):
    type: Literal["postgresql"]
    name: str | None = None
    metricType: Literal["AverageValue", "Value"] = "AverageValue"  # noqa: N815
    metadata: PostgresMetadata
    authenticationRef: Named  # noqa: N815


class JobTarget(Strict):
    parallelism: int = Field(ge=1)
    completions: int = Field(ge=1)
    backoffLimit: int = Field(ge=0)  # noqa: N815
    activeDeadlineSeconds: int = Field(ge=1)  # noqa: N815
    ttlSecondsAfterFinished: int = Field(ge=0)  # noqa: N815
    template: dict[str, Any]


class Rollout(Strict):
    strategy: Literal["default", "gradual"]
    propagationPolicy: Literal["background", "foreground"] = "background"  # noqa: N815


class ScalingStrategy(Strict):
    strategy: Literal["default", "custom", "accurate", "eager"]


class ScaledJobSpec(Strict):
    jobTargetRef: JobTarget  # noqa: N815
    pollingInterval: int = Field(ge=1)  # noqa: N815
    minReplicaCount: int = Field(ge=0)  # noqa: N815
    maxReplicaCount: int = Field(ge=1)  # noqa: N815
    successfulJobsHistoryLimit: int = Field(ge=0)  # noqa: N815
    failedJobsHistoryLimit: int = Field(ge=0)  # noqa: N815
    rollout: Rollout
    scalingStrategy: ScalingStrategy  # noqa: N815
    triggers: list[Trigger] = Field(min_length=1)


class ScaledJob(Strict):
    apiVersion: Literal["keda.sh/v1alpha1"]  # noqa: N815
    kind: Literal["ScaledJob"]
    metadata: Metadata
    spec: ScaledJobSpec


class Target(Strict):
    apiVersion: Literal["apps/v1"]  # noqa: N815
    kind: Literal["Deployment"]
    name: str


class Fallback(Strict):
    failureThreshold: int = Field(ge=1)  # noqa: N815
    replicas: int = Field(ge=0)


class HpaPolicy(Strict):
    type: Literal["Pods", "Percent"]
    value: int = Field(ge=1)
    periodSeconds: int = Field(ge=1, le=1800)  # noqa: N815


class HpaRules(Strict):
    stabilizationWindowSeconds: int = Field(ge=0, le=3600)  # noqa: N815
    policies: list[HpaPolicy]


class HpaBehavior(Strict):
    scaleUp: HpaRules  # noqa: N815
    scaleDown: HpaRules  # noqa: N815


class HpaConfig(Strict):
    behavior: HpaBehavior


class Advanced(Strict):
    horizontalPodAutoscalerConfig: HpaConfig  # noqa: N815


class ScaledObjectSpec(Strict):
    scaleTargetRef: Target  # noqa: N815
    pollingInterval: int = Field(ge=1)  # noqa: N815
    cooldownPeriod: int = Field(ge=0)  # noqa: N815
    minReplicaCount: int = Field(ge=0)  # noqa: N815
    maxReplicaCount: int = Field(ge=1)  # noqa: N815
    fallback: Fallback
    advanced: Advanced
    triggers: list[Trigger] = Field(min_length=1)


class ScaledObject(Strict):
    apiVersion: Literal["keda.sh/v1alpha1"]  # noqa: N815
    kind: Literal["ScaledObject"]
    metadata: Metadata
    spec: ScaledObjectSpec


class SecretTarget(Strict):
    parameter: Literal["connection"]
    name: str
    key: str


class TriggerAuthenticationSpec(Strict):
    secretTargetRef: list[SecretTarget] = Field(min_length=1)  # noqa: N815


class TriggerAuthentication(Strict):
    apiVersion: Literal["keda.sh/v1alpha1"]  # noqa: N815
    kind: Literal["TriggerAuthentication"]
    metadata: Metadata
    spec: TriggerAuthenticationSpec


MODELS: dict[str, type[Strict]] = {
    "ScaledJob": ScaledJob,
    "ScaledObject": ScaledObject,
    "TriggerAuthentication": TriggerAuthentication,
}
