"""Numba kernels: functions of arrays and scalars."""
