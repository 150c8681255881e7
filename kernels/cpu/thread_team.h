#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace assay::kernels {

/// A fixed team of threads, each pinned to its own CPU of those allowed; the caller is member 0 (and is
/// pinned while the team lives). Forking and joining takes about a microsecond: members spin briefly, then
/// sleep.
class ThreadTeam {
  public:
    explicit ThreadTeam(int threads);  ///< 1 .. allowed CPUs
    /// One thread on each of these CPUs (of one NUMA node, say), which must be allowed; at least one.
    explicit ThreadTeam(const std::vector<int>& cpus);
    ~ThreadTeam();
    ThreadTeam(const ThreadTeam&) = delete;
    ThreadTeam& operator=(const ThreadTeam&) = delete;

    int size() const;
    /// Runs `work(member)` once on every member, member 0 .. size()-1, and returns when all are done. What a
    /// member throws is thrown here.
    void run(const std::function<void(int member)>& work);

  private:
    void start(int threads);

    struct State;
    std::unique_ptr<State> state_;
};

/// Items [begin, end).
struct ItemRange {
    std::size_t begin = 0;
    std::size_t end = 0;
};
/// What `member` of `members` does of `items`: equal shares in their order, each beginning at a multiple of
/// `multiple`.
ItemRange member_range(std::size_t items, std::size_t multiple, int member, int members);

/// CPUs that this process may use (affinity, cpuset), as the team would use them.
int allowed_cpus();
/// Cores that those CPUs belong to: a team of so many has no two members on one core.
int allowed_cores();

}  // namespace assay::kernels
