package io.spillway.planner;

/// Whose rules choose the configuration.
public enum Method {
  SPILLWAY,
  PIPETTE,
  AMP,
  VARUNA,
  MEGATRON
}
