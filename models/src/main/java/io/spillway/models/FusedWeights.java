package io.spillway.models;

import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.Tensors;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/// Weights that lie behind one another so that a layer needs one product for query, key and value
/// and one for gate and up projection. The weights under their own names are views of the joined
/// ones, so nothing is stored twice.
public final class FusedWeights {
  private record Place(String fused, long from, long rows, long columns) {}

  private final DecoderConfig config;
  private final DType type;
  private final ComputeDevice device;
  private final TensorHolder holder;
  private final Map<String, Tensor> tensors = new HashMap<>();
  private final Map<String, Place> places = new HashMap<>();

  /// @param holder owner of all tensors
  public FusedWeights(DecoderConfig config, DType type, ComputeDevice device, TensorHolder holder) {
    this.config = config;
    this.type = type;
    this.device = device;
    this.holder = holder;
    if (!config.family().fusesProjections()) {
      for (int layer = 0; layer < config.layers(); layer++) {
        plan(layer);
      }
    }
  }

  private void plan(int layer) {
    String at = "model.layers." + layer + ".";
    long q = (long) config.heads() * config.headDim();
    long kv = (long) config.kvHeads() * config.headDim();
    List<String> names = List.of("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj");
    long[] begins = {0, q, q + kv, q + 2 * kv};
    for (int i = 0; i < 3; i++) {
      long rows = begins[i + 1] - begins[i];
      places.put(
          at + names.get(i) + ".weight",
          new Place(at + Decoder.QKV, begins[i], rows, config.hidden()));
      if (config.attentionBias()) {
        places.put(
            at + names.get(i) + ".bias", new Place(at + Decoder.QKV_BIAS, begins[i], rows, 0));
      }
    }
    long inner = config.intermediate();
    places.put(
        at + "mlp.gate_proj.weight", new Place(at + Decoder.GATE_UP, 0, inner, config.hidden()));
    places.put(
        at + "mlp.up_proj.weight", new Place(at + Decoder.GATE_UP, inner, inner, config.hidden()));
  }

  /// Memory for the weight of that name, not set yet.
  public Tensor room(String name, long[] shape) {
    Place place = places.get(name);
    Tensor room;
    if (place == null) {
      room = holder.hold(Tensors.empty(type, device, shape));
    } else {
      Tensor joined = tensors.computeIfAbsent(place.fused(), fused -> holder.hold(joined(place)));
      room = holder.hold(joined.narrow(0, place.from(), place.rows()));
    }
    tensors.put(name, room);
    return room;
  }

  private Tensor joined(Place place) {
    long q = (long) (config.heads() + 2 * config.kvHeads()) * config.headDim();
    long rows = place.fused().endsWith(Decoder.GATE_UP) ? 2L * config.intermediate() : q;
    return place.columns() == 0
        ? Tensors.empty(type, device, rows)
        : Tensors.empty(type, device, rows, place.columns());
  }

  /// All weights by name, the joined ones as well.
  public Map<String, Tensor> tensors() {
    return tensors;
  }
}
