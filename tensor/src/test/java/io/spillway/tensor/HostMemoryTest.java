package io.spillway.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

/// Pages between tensors that are still held go back to the system.
final class HostMemoryTest {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final int TENSORS = 2000;
  private static final long BYTES = 60_000; // below what malloc takes from the system one by one

  @Test
  void whatTensorsLeftGoesBack() throws Exception {
    assumeTrue(Files.exists(STATUS), "needs /proc");
    long[] kibibytes = new long[2];
    Thread thread =
        Thread.ofPlatform() // with an arena of its own
            .start(() -> {
              try (TensorHolder holder = new TensorHolder()) {
                try (TensorScope scope = TensorScope.open()) {
                  assert scope != null;
                  for (int i = 0; i < TENSORS; i++) {
                    Tensor t = Tensors.empty(DType.U8, BYTES).zero_();
                    if (i % 100 == 99) {
                      holder.hold(t); // in the way of a heap that would shrink by itself
                    }
                  }
                }
                kibibytes[0] = resident();
                HostMemory.releaseUnused();
                kibibytes[1] = resident();
              }
            });
    thread.join();
    assumeTrue(kibibytes[0] > 0, "the thread measured");
    assertThat(kibibytes[0] - kibibytes[1]).isGreaterThan(60_000);
  }

  private static long resident() {
    try {
      return Files.readAllLines(STATUS).stream()
          .filter(l -> l.startsWith("RssAnon"))
          .mapToLong(l -> Long.parseLong(l.replaceAll("[^0-9]", "")))
          .findFirst()
          .orElse(0);
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
