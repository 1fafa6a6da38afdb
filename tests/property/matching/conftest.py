"""No deadline for kernels: the first call of one compiles it."""

from hypothesis import settings

settings.register_profile("kernels", deadline=None)
settings.load_profile("kernels")
