package io.spillway.diffusion.text;

import io.spillway.diffusion.model.Ops;
import io.spillway.diffusion.model.Parameters;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// A CLIP text encoder: pre-norm blocks with causal attention.
public record ClipEncoder(ClipConfig config, Parameters p) implements AutoCloseable {
  private static final double EPSILON = 1e-5;

  /// What a text became.
  ///
  /// @param penultimate the states before the last block, not normalised, [batch, tokens, width]
  /// @param pooled the normalised last state at the first end token, projected if the encoder
  ///   projects, [batch, projection or width]
  public record Encoded(Tensor penultimate, Tensor pooled) {}

  /// Encodes texts.
  ///
  /// @param ids `[batch][tokens]`, each with at least one end token
  public Encoded encode(int[][] ids) {
    int tokens = ids[0].length;
    long[] flat = new long[ids.length * tokens];
    long[] ends = new long[ids.length];
    for (int b = 0; b < ids.length; b++) {
      ends[b] = -1;
      for (int t = 0; t < tokens; t++) {
        flat[b * tokens + t] = ids[b][t];
        if (ends[b] < 0 && ids[b][t] == config.end()) {
          ends[b] = (long) b * tokens + t;
        }
      }
      if (ends[b] < 0) {
        throw new IllegalArgumentException("text " + b + " has no end token " + config.end());
      }
    }
    Tensor table = p.get("text_model.embeddings.token_embedding.weight");
    Tensor index = Tensors.of(flat, ids.length, tokens).to(table.device(), torch.ScalarType.Long);
    Tensor x =
        torch
            .embedding(table, index)
            .add(p.get("text_model.embeddings.position_embedding.weight").narrow(0, 0, tokens));
    Tensor before = x;
    for (int i = 0; i < config.layers(); i++) {
      before = x;
      x = block("text_model.encoder.layers." + i + ".", x);
    }
    Tensor last = norm("text_model.final_layer_norm", x).flatten(0, 1);
    Tensor pooled =
        last.index_select(
            0, Tensors.of(ends, ends.length).to(table.device(), torch.ScalarType.Long));
    if (config.projection() > 0) {
      pooled = Ops.linear(p, "text_projection", pooled);
    }
    return new Encoded(before, pooled);
  }

  private Tensor block(String name, Tensor x) {
    return TensorScope.compute(() -> {
      Tensor h = norm(name + "layer_norm1", x);
      Tensor attended =
          Ops.causalAttention(
              Ops.linear(p, name + "self_attn.q_proj", h),
              Ops.linear(p, name + "self_attn.k_proj", h),
              Ops.linear(p, name + "self_attn.v_proj", h),
              config.heads());
      Tensor y = x.add(Ops.linear(p, name + "self_attn.out_proj", attended));
      h = Ops.linear(p, name + "mlp.fc1", norm(name + "layer_norm2", y));
      h =
          switch (config.activation()) {
            case QUICK_GELU -> h.mul(torch.sigmoid(h.mul(new Scalar(1.702))));
            case GELU -> torch.gelu(h);
          };
      return y.add(Ops.linear(p, name + "mlp.fc2", h));
    });
  }

  private Tensor norm(String name, Tensor x) {
    return Ops.layerNorm(x, p.get(name + ".weight"), p.get(name + ".bias"), EPSILON);
  }

  @Override
  public void close() {
    p.close();
  }
}
