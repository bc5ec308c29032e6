package io.spillway.sweep;

import java.io.Serializable;
import java.util.Map;
import java.util.TreeMap;

/// One point of a sweep: a name that is unique in it, and what the task needs to know.
///
/// @param id unique name
/// @param values parameters by name
public record SweepPoint(String id, Map<String, String> values) implements Serializable {
  private static final long serialVersionUID = 1L;

  public SweepPoint {
    values = new TreeMap<>(values);
  }
}
