package io.spillway.server;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.spillway.longcontext.CacheSettings;
import io.spillway.longcontext.LongContextModel;
import io.spillway.longcontext.Policy;
import io.spillway.models.ChatTemplate;
import io.spillway.platform.Json;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import io.spillway.testkit.Damage;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// The body of a request is a job or is refused with one line. `bench/fuzz` searches for new
/// inputs.
final class RequestFuzzTest {
  private static final String SOUND =
      """
      {"model": "own", "messages": [{"role": "user", "content": "hello"}], "prompt": "hello",
       "context": "once", "id": "a", "temperature": 0.7, "top_p": 0.9, "max_tokens": 16, "n": 1,
       "stop": ["."], "seed": 1, "stream": false, "budget": 64, "policy": "locret"}
      """;
  private static final LongContextModel MODEL =
      LongContextModel.open(
          LongContextModel.ownFolder(), DType.F32, Devices.cpu(), Optional.empty());
  private static final ChatTemplate TEMPLATE = ChatTemplate.open(LongContextModel.ownFolder());
  private static final ServerSettings SETTINGS =
      new ServerSettings(
          "127.0.0.1",
          0,
          Optional.empty(),
          1,
          1,
          200_000,
          Optional.empty(),
          new Policy.StreamingLlm(),
          new CacheSettings(64, 64, 32, 1, 1, false));

  @FuzzTest
  void request(byte[] data) {
    JsonNode body;
    try {
      body = Json.mapper().readTree(Damage.of(SOUND, data));
    } catch (JacksonException e) {
      return; // HttpService answers 400
    }
    refused(() -> new ApiRequest(body).chat(MODEL, SETTINGS, TEMPLATE));
    refused(() -> new ApiRequest(body).completion(MODEL, SETTINGS));
    refused(() -> new ApiRequest(body).store(MODEL, SETTINGS));
    refused(() -> new ApiRequest(body).stream());
  }

  private static void refused(Runnable reading) {
    try {
      reading.run();
    } catch (SpillwayException e) {
      if (String.valueOf(e.getMessage()).contains("\n")) {
        throw new AssertionError("more than one line: " + e.getMessage(), e);
      }
    }
  }
}
