package io.spillway.diffusion.parallel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.model.Denoiser;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Torch;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

final class RankDeathTest {
  @Test
  void aRankThatDiesEndsTheOthersWithItsNumber() {
    Torch.threads(1);
    Denoiser model = Rig.dit();
    Job job =
        Rig.job(Strategy.named("pcpp", 4, 0.3, 0, Strategy.Sync.CORRECTED_ASYNC_GN), false, 1, 6);
    ConcurrentLinkedQueue<String> messages = new ConcurrentLinkedQueue<>();
    AtomicLong died = new AtomicLong();
    assertThatThrownBy(() ->
            ThreadRanks.run(
                4,
                exchange -> {
                  try (TensorScope scope = TensorScope.open()) {
                    assert scope != null;
                    return RankRenderer.render(
                        model,
                        job,
                        Rig.noise(3),
                        Rig.labels(job),
                        exchange,
                        step -> {
                          if (step == 2 && exchange.rank() == 2) {
                            died.set(System.nanoTime());
                            throw new IllegalStateException("power cut");
                          }
                        });
                  } catch (RuntimeException e) {
                    messages.add(
                        exchange.rank() + ": " + Optional.ofNullable(e.getMessage()).orElse(""));
                    throw e;
                  }
                }))
        .hasMessageContaining("power cut");
    assertThat(Duration.ofNanos(System.nanoTime() - died.get())).isLessThan(Duration.ofSeconds(10));
    assertThat(messages).hasSize(4);
    assertThat(messages.stream().filter(m -> m.contains("rank 2 died"))).hasSize(3);
  }
}
