package io.spillway.simulator.system;

import io.spillway.platform.yaml.Default;
import java.util.List;

/// A core: in order after gem5's MinorCPU or out of order after its O3CPU. Delays in core cycles.
public sealed interface Core {
  List<Unit> units();

  Clock clock();

  String technology();

  /// A core that issues, executes and commits in program order.
  ///
  /// @param lineBuffers fetched lines that the second fetch stage holds, those on the way included
  /// @param fetchForward cycles from the first to the second fetch stage
  /// @param fetchBackward cycles from a prediction to the first fetch stage
  /// @param fetchToDecode cycles from the second fetch stage to decode
  /// @param decodeToExecute cycles from decode to issue
  /// @param width instructions that fetch and decode hand on per cycle
  /// @param decodeBuffer groups that wait before decode
  /// @param executeBuffer groups that wait before issue
  /// @param issueWidth instructions issued per cycle
  /// @param commitWidth instructions committed per cycle
  /// @param memoryIssueWidth memory instructions among the issued ones
  /// @param memoryCommitWidth memory instructions among the committed ones
  /// @param branchDelay cycles from a resolved branch to the first fetch stage
  /// @param accesses loads and stores in the memory system at once
  /// @param transfers memory instructions between issue to memory and commit
  /// @param storeBuffer committed stores that wait for memory
  /// @param storesPerCycle stores sent per cycle
  /// @param idles whether the clock stops once the pipeline has run dry; waking takes a cycle
  record InOrder(
      Clock clock,
      @Default("2") int lineBuffers,
      @Default("1") int fetchForward,
      @Default("1") int fetchBackward,
      @Default("1") int fetchToDecode,
      @Default("1") int decodeToExecute,
      @Default("2") int width,
      @Default("3") int decodeBuffer,
      @Default("7") int executeBuffer,
      @Default("2") int issueWidth,
      @Default("2") int commitWidth,
      @Default("1") int memoryIssueWidth,
      @Default("1") int memoryCommitWidth,
      @Default("1") int branchDelay,
      @Default("2") int accesses,
      @Default("2") int transfers,
      @Default("5") int storeBuffer,
      @Default("2") int storesPerCycle,
      @Default("true") boolean idles,
      List<Unit> units,
      @Default("cmos-300k") String technology)
      implements Core {
    public InOrder {
      Require.between("core line_buffers", lineBuffers, 1, 64);
      Require.between("core fetch_forward", fetchForward, 1, 100);
      Require.between("core fetch_backward", fetchBackward, 0, 100);
      Require.between("core fetch_to_decode", fetchToDecode, 1, 100);
      Require.between("core decode_to_execute", decodeToExecute, 1, 100);
      Require.between("core width", width, 1, 16);
      Require.between("core decode_buffer", decodeBuffer, 1, 256);
      Require.between("core execute_buffer", executeBuffer, 1, 256);
      Require.between("core issue_width", issueWidth, 1, 16);
      Require.between("core commit_width", commitWidth, 1, 16);
      Require.between("core memory_issue_width", memoryIssueWidth, 1, 16);
      Require.between("core memory_commit_width", memoryCommitWidth, 1, 16);
      Require.between("core branch_delay", branchDelay, 1, 100);
      Require.between("core accesses", accesses, 1, 64);
      Require.between("core transfers", transfers, 1, 64);
      Require.between("core store_buffer", storeBuffer, 1, 256);
      Require.between("core stores_per_cycle", storesPerCycle, 1, 16);
    }
  }

  /// A core that renames and executes out of order and commits in order.
  ///
  /// @param fetchWidth instructions fetched per cycle; decode, rename, dispatch, issue, writeBack
  ///   and commit likewise
  /// @param fetchBuffer bytes that one fetch access brings
  /// @param fetchQueue fetched instructions that wait for decode
  /// @param rob reorder buffer
  /// @param issueQueue instructions that wait for operands
  /// @param loadQueue loads between dispatch and commit
  /// @param storeQueue stores between dispatch and the cache
  /// @param integerRegisters physical integer registers
  /// @param floatRegisters physical float registers
  /// @param loadPorts loads sent to the cache per cycle
  /// @param storePorts stores sent to the cache per cycle
  /// @param squashWidth instructions removed per cycle after a misprediction
  /// @param renameToIssue cycles from rename to dispatch
  /// @param trapLatency cycles that a trap adds
  /// @param storeSetEntries entries of the predictor of memory dependences
  /// @param storeSetClear memory instructions after which it forgets
  /// @param wrongPathLoads whether loads behind a wrong prediction reach the data cache, as they
  ///   do; without them branchy programs are simulated up to a third faster
  record OutOfOrder(
      Clock clock,
      @Default("8") int fetchWidth,
      @Default("8") int decodeWidth,
      @Default("8") int renameWidth,
      @Default("8") int dispatchWidth,
      @Default("8") int issueWidth,
      @Default("8") int writeBackWidth,
      @Default("8") int commitWidth,
      @Default("8") int squashWidth,
      @Default("64") int fetchBuffer,
      @Default("32") int fetchQueue,
      @Default("192") int rob,
      @Default("64") int issueQueue,
      @Default("32") int loadQueue,
      @Default("32") int storeQueue,
      @Default("256") int integerRegisters,
      @Default("256") int floatRegisters,
      @Default("200") int loadPorts,
      @Default("200") int storePorts,
      @Default("1") int fetchToDecode,
      @Default("1") int decodeToRename,
      @Default("2") int renameToIssue,
      @Default("1") int issueToExecute,
      @Default("1") int executeToCommit,
      @Default("1") int commitToFetch,
      @Default("13") int trapLatency,
      @Default("1024") int storeSetEntries,
      @Default("250000") int storeSetClear,
      @Default("true") boolean wrongPathLoads,
      List<Unit> units,
      @Default("cmos-300k") String technology)
      implements Core {
    public OutOfOrder {
      int[] widths = {
        fetchWidth,
        decodeWidth,
        renameWidth,
        dispatchWidth,
        issueWidth,
        writeBackWidth,
        commitWidth,
        squashWidth
      };
      for (int width : widths) {
        Require.between("a width of the core", width, 1, 32);
      }
      Require.powerOfTwo("core fetch_buffer", fetchBuffer);
      Require.between("core fetch_buffer", fetchBuffer, 4, 256);
      Require.between("core fetch_queue", fetchQueue, 1, 4096);
      Require.between("core rob", rob, 2, 4096);
      Require.between("core issue_queue", issueQueue, 1, 4096);
      Require.between("core load_queue", loadQueue, 1, 4096);
      Require.between("core store_queue", storeQueue, 1, 4096);
      Require.between("core integer_registers", integerRegisters, 34, 8192);
      Require.between("core float_registers", floatRegisters, 34, 8192);
      Require.between("core load_ports", loadPorts, 1, 1024);
      Require.between("core store_ports", storePorts, 1, 1024);
      Require.between("core fetch_to_decode", fetchToDecode, 1, 100);
      Require.between("core decode_to_rename", decodeToRename, 1, 100);
      Require.between("core rename_to_issue", renameToIssue, 1, 100);
      Require.between("core issue_to_execute", issueToExecute, 1, 100);
      Require.between("core execute_to_commit", executeToCommit, 1, 100);
      Require.between("core commit_to_fetch", commitToFetch, 1, 100);
      Require.between("core trap_latency", trapLatency, 0, 1000);
      Require.powerOfTwo("core store_set_entries", storeSetEntries);
      Require.between("core store_set_clear", storeSetClear, 1, Integer.MAX_VALUE);
    }
  }
}
