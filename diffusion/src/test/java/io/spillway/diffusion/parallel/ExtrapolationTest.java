package io.spillway.diffusion.parallel;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.model.Site;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.junit.jupiter.api.Test;

/// Continued values: 2 K(t-1) - K(t-2) for the layers that are named, K(t-1) for their neighbours
/// in the same message.
final class ExtrapolationTest {
  @Test
  void onlyTheLayersThatAreNamedAreContinued() {
    List<List<Float>> seen =
        ThreadRanks.run(
            2,
            exchange -> {
              List<Float> values = new ArrayList<>();
              int other = 1 - exchange.rank();
              try (TensorScope scope = TensorScope.open();
                  TensorHolder holder = new TensorHolder()) {
                assert scope != null;
                Bundle bundle =
                    new Bundle(
                        exchange,
                        holder,
                        Tensors.of(new float[1], 1),
                        List.of(true, false),
                        List.of(one(exchange.rank()), one(exchange.rank())));
                for (float sent : new float[] {1, 3, 4}) {
                  for (Bundle.Place place : bundle.places()) {
                    place.outgoing(other).fill_(new Scalar(sent));
                    place.send();
                  }
                  for (Bundle.Place place : bundle.places()) {
                    values.add(Tensors.floats(place.seen(other))[0]);
                  }
                }
              }
              return values;
            });
    // by hand: after one arrival nothing to continue, then 2 * 3 - 1 and 2 * 4 - 3
    assertThat(seen).containsOnly(List.of(1f, 1f, 5f, 3f, 5f, 4f));
  }

  private static Bundle.Counts one(int rank) {
    long[] counts = new long[2];
    counts[1 - rank] = 1;
    return new Bundle.Counts(false, counts, counts);
  }

  @Test
  void halosNeedNoSecondBufferSinceTheyAreNeverContinued() {
    List<Site> sites = Rig.unet().sites(Rig.ROWS, Rig.COLUMNS);
    List<Site> halos = sites.stream().filter(Site.Convolution.class::isInstance).toList();
    List<Site> keys = sites.stream().filter(Site.Attention.class::isInstance).toList();
    assertThat(bufferBytes(halos, true)).isPositive().isEqualTo(bufferBytes(halos, false));
    assertThat(bufferBytes(keys, true)).isGreaterThan(bufferBytes(keys, false));
  }

  private static long bufferBytes(List<Site> sites, boolean extrapolate) {
    return ThreadRanks.run(
            2,
            exchange -> {
              try (TensorScope scope = TensorScope.open();
                  DisplacedStrips strips =
                      new DisplacedStrips(
                          exchange,
                          new Strategy.Pcpp(0.3, 4, extrapolate),
                          new DisplacedStrips.Layout(sites, 2, Tensors.of(new float[1], 1)))) {
                assert scope != null;
                return strips.bufferBytes();
              }
            })
        .getFirst();
  }
}
