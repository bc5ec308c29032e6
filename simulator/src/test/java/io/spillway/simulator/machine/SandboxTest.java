package io.spillway.simulator.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// No path leads out of the folder.
final class SandboxTest {
  @TempDir Path folder;

  @Test
  void neitherDotsNorLinksLeadOut() throws Exception {
    Path secret = Files.writeString(folder.resolve("secret"), "s");
    Path root = Files.createDirectory(folder.resolve("root"));
    Files.createDirectory(root.resolve("in"));
    Files.createSymbolicLink(root.resolve("absolute"), secret.toAbsolutePath());
    Files.createSymbolicLink(root.resolve("up"), Path.of("../secret"));
    Files.createSymbolicLink(root.resolve("outside"), folder.toAbsolutePath());
    Files.createSymbolicLink(root.resolve("loop"), Path.of("loop"));
    Files.createSymbolicLink(root.resolve("inside"), Path.of("/in"));
    Sandbox sandbox = new Sandbox(root);
    Path real = root.toRealPath();
    for (String path :
        new String[] {
          "../secret", "/../../secret", "in/../../secret", "absolute", "up", "outside/secret", "/"
        }) {
      for (String from : new String[] {"/", "/in"}) {
        Sandbox.Found found = sandbox.resolve(from, path, true);
        assertThat(found.host()).as(path).startsWithRaw(real);
        assertThat(found.host().equals(secret.toRealPath())).isFalse();
        assertThat(Files.isSymbolicLink(found.host())).as(path).isFalse();
      }
    }
    assertThat(sandbox.resolve("/", "loop", true).error()).isEqualTo(Errno.LOOP);
    assertThat(sandbox.resolve("/", "inside", true).host()).isEqualTo(real.resolve("in"));
  }
}
