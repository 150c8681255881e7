// How often the interval holds the truth, over the whole stopping procedure: sampling until the interval is
// narrow, or until the time is up. Each setting is simulated many times; the truth is known by construction.
#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>
#include <ostream>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "probes/core/sampling.h"
#include "probes/core/statistics.h"
#include "tests/probes/core/fake_clock.h"

namespace assay {
namespace {

// Sanitizers take their time: fewer replications, and a wider allowance for them.
#ifdef ASSAY_SANITIZE
constexpr int full = 150;
#else
constexpr int full = 1500;
#endif

constexpr int few = 100;  // for a glimpse, where planted bugs want answers soon (scripts/mutate)

constexpr double level = 100;

enum class Marginal { normal, exponential };

// A first-order autoregression with the given marginal distribution and `noise` as its standard deviation,
// about `level`.
class Series {
  public:
    Series(Marginal marginal, double coefficient, double noise, std::uint64_t seed)
        : marginal_(marginal),
          coefficient_(coefficient),
          noise_(noise),
          engine_(seed),
          state_(gauss_(engine_)) {}

    double next() {
        state_ = coefficient_ * state_ + std::sqrt(1 - coefficient_ * coefficient_) * gauss_(engine_);
        if (marginal_ == Marginal::normal) return level + noise_ * state_;
        return level - noise_ * std::log(std::erfc(state_ / std::numbers::sqrt2) / 2);
    }

  private:
    Marginal marginal_;
    double coefficient_;
    double noise_;
    std::mt19937_64 engine_;
    std::normal_distribution<double> gauss_;
    double state_;
};

double truth_of(Marginal marginal, Statistic statistic, double noise) {
    if (marginal == Marginal::normal) return level;
    return level + noise * (statistic == Statistic::mean ? 1 : std::numbers::ln2);
}

struct Setting {
    const char* name;
    Marginal marginal;
    double coefficient;
    Statistic statistic;
    double noise;  // the precision asked for is 1
    std::size_t most_samples;
    int replications = full;
};

void PrintTo(const Setting& setting, std::ostream* stream) {
    *stream << setting.name;
}

class Coverage : public testing::TestWithParam<Setting> {};

TEST_P(Coverage, OfTheWholeStoppingProcedureIsAtLeast93Percent) {
    const Setting& setting = GetParam();
    SamplingPolicy policy;
    policy.minimum_time = Seconds(0.3);
    policy.maximum_time = Seconds(0.01 * static_cast<double>(setting.most_samples));
    policy.relative_precision = 1 / truth_of(setting.marginal, setting.statistic, setting.noise);
    policy.statistic = setting.statistic;
    policy.maximum_warm_up = Seconds(0);
    const int replications = setting.replications;
    const double truth = truth_of(setting.marginal, setting.statistic, setting.noise);
    int covered = 0;
    double samples = 0;
    for (int replication = 0; replication < replications; ++replication) {
        FakeClock clock;
        Series series(setting.marginal, setting.coefficient, setting.noise,
                      static_cast<std::uint64_t>(replication) * 7919 + 1);
        const SampleSet set = sample(policy, clock, [&] {
            clock.advance(std::chrono::milliseconds(10));
            return series.next();
        });
        // What make_metric reports (sampling_test holds that it does); all else of it would take its time
        // here.
        const Interval interval =
            setting.statistic == Statistic::mean ? mean_interval(set.values) : median_interval(set.values);
        covered += interval.low <= truth && truth <= interval.high ? 1 : 0;
        samples += static_cast<double>(set.values.size());
    }
    const double share = static_cast<double>(covered) / replications;
    const double simulation_noise = 2.5 * std::sqrt(0.93 * 0.07 / replications);
    RecordProperty("coverage", std::to_string(share));
    RecordProperty("samples", std::to_string(samples / replications));
    EXPECT_GE(share, 0.93 - simulation_noise) << "after " << samples / replications << " samples on average";
}

std::string name_of(const testing::TestParamInfo<Setting>& info) {
    return info.param.name;
}

// Ends as soon as it may; in the middle; at the time limit with few and with very few samples.
constexpr Marginal normal = Marginal::normal;
constexpr Marginal exponential = Marginal::exponential;
constexpr Statistic median = Statistic::median;
constexpr Statistic mean = Statistic::mean;
INSTANTIATE_TEST_SUITE_P(
    Simulated, Coverage,
    testing::Values(Setting{"EarlyIndependentNormal", normal, 0, median, 0.5, 2000},
                    Setting{"EarlyIndependentSkewed", exponential, 0, median, 0.5, 2000},
                    Setting{"EarlyCorrelatedNormal", normal, 0.8, median, 0.5, 2000},
                    Setting{"EarlyCorrelatedSkewed", exponential, 0.8, median, 0.5, 2000},
                    Setting{"EarlyCorrelatedSkewedMean", exponential, 0.8, mean, 0.5, 2000},
                    Setting{"MiddleIndependentNormal", normal, 0, median, 2, 600},
                    Setting{"MiddleIndependentSkewed", exponential, 0, median, 2.5, 600},
                    Setting{"MiddleIndependentSkewedMean", exponential, 0, mean, 2.5, 600},
                    Setting{"MiddleCorrelatedNormal", normal, 0.8, median, 2, 1500},
                    Setting{"MiddleCorrelatedSkewed", exponential, 0.8, median, 2.5, 1500},
                    Setting{"MiddleCorrelatedNormalMean", normal, 0.8, mean, 2.5, 1500},
                    Setting{"MiddleCorrelatedSkewedMean", exponential, 0.8, mean, 2.5, 1500},
                    Setting{"LimitIndependentNormal", normal, 0, median, 20, 30},
                    Setting{"LimitIndependentSkewedMean", exponential, 0, mean, 20, 30},
                    Setting{"LimitCorrelatedNormal", normal, 0.8, median, 20, 30},
                    Setting{"LimitCorrelatedSkewed", exponential, 0.8, median, 20, 30},
                    Setting{"LimitCorrelatedNormalMean", normal, 0.8, mean, 20, 45},
                    Setting{"LimitCorrelatedSkewedMean", exponential, 0.8, mean, 20, 60},
                    Setting{"LaterLimitCorrelatedSkewed", exponential, 0.8, median, 20, 150},
                    Setting{"LaterLimitCorrelatedSkewedMean", exponential, 0.8, mean, 20, 150}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Glimpsed, Coverage,
    testing::Values(Setting{"EarlyCorrelatedSkewed", exponential, 0.8, median, 0.5, 2000, few},
                    Setting{"MiddleIndependentNormal", normal, 0, median, 2.5, 600, few},
                    Setting{"LimitCorrelatedNormal", normal, 0.8, median, 20, 30, few},
                    Setting{"LimitCorrelatedSkewedMean", exponential, 0.8, mean, 20, 60, few}),
    name_of);

}  // namespace
}  // namespace assay
