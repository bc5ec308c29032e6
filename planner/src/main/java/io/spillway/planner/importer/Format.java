package io.spillway.planner.importer;

/// Tools whose output is read.
public enum Format {
  AUTO,
  NCCL_TESTS,
  NVBANDWIDTH,
  TOPO,
  MPIGRAPH
}
