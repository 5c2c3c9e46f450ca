"""Vectors, tiles and rows of floats in registers, written as LLVM IR."""
