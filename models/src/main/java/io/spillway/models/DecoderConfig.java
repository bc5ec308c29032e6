package io.spillway.models;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The shape of a decoder-only transformer with rotary positions, RMS norms and a gated MLP.
///
/// @param family what the weights are called and how they are cut
/// @param vocabulary rows of the embedding
/// @param hidden width of the residual stream
/// @param layers number of decoder layers
/// @param heads query heads
/// @param kvHeads key and value heads, a divisor of `heads`
/// @param headDim width of one head
/// @param intermediate width of the MLP
/// @param maxPositions tokens the model was made for
/// @param ropeTheta base of the rotary frequencies
/// @param rotaryDim leading components of each head that are rotated
/// @param ropeScaling how frequencies are stretched
/// @param normEpsilon added to mean squares
/// @param tiedEmbeddings the output matrix is the embedding
/// @param attentionBias query, key and value projections have biases
/// @param slidingWindow tokens each query sees, 0 for all
/// @param endTokens ids that end an answer
public record DecoderConfig(
    Family family,
    int vocabulary,
    int hidden,
    int layers,
    int heads,
    int kvHeads,
    int headDim,
    int intermediate,
    int maxPositions,
    double ropeTheta,
    int rotaryDim,
    RopeScaling ropeScaling,
    double normEpsilon,
    boolean tiedEmbeddings,
    boolean attentionBias,
    int slidingWindow,
    List<Integer> endTokens) {
  public DecoderConfig {
    endTokens = List.copyOf(endTokens);
    atLeastOne("vocab_size", vocabulary);
    atLeastOne("hidden_size", hidden);
    atLeastOne("num_hidden_layers", layers);
    atLeastOne("num_attention_heads", heads);
    atLeastOne("num_key_value_heads", kvHeads);
    atLeastOne("head_dim", headDim);
    atLeastOne("intermediate_size", intermediate);
    atLeastOne("max_position_embeddings", maxPositions);
    if (heads % kvHeads != 0) {
      throw new IllegalArgumentException(
          "num_attention_heads " + heads + " must be a multiple of num_key_value_heads " + kvHeads);
    }
    if (rotaryDim < 2 || rotaryDim > headDim || rotaryDim % 2 != 0) {
      throw new IllegalArgumentException(
          "rotary dimension " + rotaryDim + " must be even and within head_dim " + headDim);
    }
    if (!(ropeTheta > 1)) {
      throw new IllegalArgumentException("rope_theta is " + ropeTheta + ", it must exceed 1");
    }
    if (ropeScaling instanceof RopeScaling.LongRope longRope
        && longRope.shortFactors().size() != rotaryDim / 2) {
      throw new IllegalArgumentException(
          "longrope has "
              + longRope.shortFactors().size()
              + " factors, "
              + rotaryDim / 2
              + " are needed (half the rotary dimension)");
    }
  }

  private static void atLeastOne(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(name + " is " + value + ", it must be at least 1");
    }
  }

  /// Query heads that share one key and value head.
  public int groupSize() {
    return heads / kvHeads;
  }

  /// Whether frequencies change when a sequence passes a length.
  public boolean usesLongRope() {
    return ropeScaling instanceof RopeScaling.LongRope;
  }

  /// Bytes of keys and values that one token adds at `bytesPerValue`.
  public long cacheBytesPerToken(double bytesPerValue) {
    return (long) (2.0 * layers * kvHeads * headDim * bytesPerValue);
  }

  /// Number of weights.
  public long parameters() {
    long sum = 0;
    for (long[] shape : shapes().values()) {
      long size = 1;
      for (long s : shape) {
        size *= s;
      }
      sum += size;
    }
    return sum;
  }

  /// Every weight by its Hugging Face name, with its shape.
  public Map<String, long[]> shapes() {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    long q = (long) heads * headDim;
    long kv = (long) kvHeads * headDim;
    shapes.put("model.embed_tokens.weight", new long[] {vocabulary, hidden});
    for (int l = 0; l < layers; l++) {
      String at = "model.layers." + l + ".";
      shapes.put(at + "input_layernorm.weight", new long[] {hidden});
      if (family.fusesProjections()) {
        shapes.put(at + "self_attn.qkv_proj.weight", new long[] {q + 2 * kv, hidden});
      } else {
        shapes.put(at + "self_attn.q_proj.weight", new long[] {q, hidden});
        shapes.put(at + "self_attn.k_proj.weight", new long[] {kv, hidden});
        shapes.put(at + "self_attn.v_proj.weight", new long[] {kv, hidden});
      }
      if (attentionBias) {
        shapes.put(at + "self_attn.q_proj.bias", new long[] {q});
        shapes.put(at + "self_attn.k_proj.bias", new long[] {kv});
        shapes.put(at + "self_attn.v_proj.bias", new long[] {kv});
      }
      if (family.normalisesHeads()) {
        shapes.put(at + "self_attn.q_norm.weight", new long[] {headDim});
        shapes.put(at + "self_attn.k_norm.weight", new long[] {headDim});
      }
      shapes.put(at + "self_attn.o_proj.weight", new long[] {hidden, q});
      shapes.put(at + "post_attention_layernorm.weight", new long[] {hidden});
      if (family.fusesProjections()) {
        shapes.put(at + "mlp.gate_up_proj.weight", new long[] {2L * intermediate, hidden});
      } else {
        shapes.put(at + "mlp.gate_proj.weight", new long[] {intermediate, hidden});
        shapes.put(at + "mlp.up_proj.weight", new long[] {intermediate, hidden});
      }
      shapes.put(at + "mlp.down_proj.weight", new long[] {hidden, intermediate});
    }
    shapes.put("model.norm.weight", new long[] {hidden});
    if (!tiedEmbeddings) {
      shapes.put("lm_head.weight", new long[] {vocabulary, hidden});
    }
    return shapes;
  }

  /// Names of the weights in the order of [#shapes].
  public List<String> weightNames() {
    return new ArrayList<>(shapes().keySet());
  }
}
