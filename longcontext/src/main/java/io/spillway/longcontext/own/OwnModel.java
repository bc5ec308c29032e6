package io.spillway.longcontext.own;

import io.spillway.models.DecoderConfig;
import io.spillway.models.Family;
import io.spillway.models.RopeScaling;
import java.util.List;

/// The shape of our own model.
final class OwnModel {
  private OwnModel() {}

  static DecoderConfig config(OwnVocabulary vocabulary, int hidden, int layers, int trainedLength) {
    int headDim = 32;
    int heads = hidden / headDim;
    return new DecoderConfig(
        Family.LLAMA,
        (vocabulary.size() + 31) / 32 * 32,
        hidden,
        layers,
        heads,
        heads / 2,
        headDim,
        hidden * 11 / 4,
        trainedLength,
        1e4,
        headDim,
        new RopeScaling.None(),
        1e-5,
        true,
        false,
        0,
        List.of(vocabulary.id(OwnVocabulary.END)));
  }
}
