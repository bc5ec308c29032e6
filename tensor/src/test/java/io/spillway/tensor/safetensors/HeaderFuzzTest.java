package io.spillway.tensor.safetensors;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.spillway.platform.SpillwayException;
import java.nio.file.Path;

/// Whatever the bytes are, the header parser either refuses them with one of our errors or hands
/// out tensors that tile the data exactly. Runs its seed inputs in the normal test run; with
/// `JAZZER_FUZZ=1` it searches for new ones.
class HeaderFuzzTest {
  @FuzzTest(maxDuration = "60s")
  void everyHeaderIsSoundOrRefused(byte[] input) {
    if (input.length < 2) {
      return;
    }
    // the first two bytes say how long the data after the header is
    long dataBytes = (input[0] & 0xFF) | (input[1] & 0xFF) << 8;
    byte[] json = java.util.Arrays.copyOfRange(input, 2, input.length);
    Header header;
    try {
      header = Header.parse(json, Header.PREFIX_BYTES + json.length + dataBytes, Path.of("fuzz"));
    } catch (SpillwayException refused) {
      assertThat(refused).hasMessageStartingWith("fuzz: ");
      return;
    }
    long at = 0;
    for (TensorEntry e : header.tensors().values()) {
      assertThat(e.begin()).isEqualTo(at);
      at = e.end();
    }
    assertThat(at).isEqualTo(dataBytes);
  }
}
