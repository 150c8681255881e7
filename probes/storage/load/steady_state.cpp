#include "probes/storage/load/steady_state.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace assay::storage {

SteadyState steady_state_of(std::span<const double> rounds) {
    SteadyState state;
    if (rounds.size() < static_cast<std::size_t>(SteadyState::rounds)) return state;
    const double count = static_cast<double>(rounds.size());
    const double mean = std::accumulate(rounds.begin(), rounds.end(), 0.0) / count;
    if (!(mean > 0)) return state;
    const auto [least, most] = std::minmax_element(rounds.begin(), rounds.end());
    state.range = (*most - *least) / mean;

    const double middle = (count - 1) / 2;
    double products = 0;
    double squares = 0;
    for (std::size_t i = 0; i < rounds.size(); ++i) {
        const double from_middle = static_cast<double>(i) - middle;
        products += from_middle * (rounds[i] - mean);
        squares += from_middle * from_middle;
    }
    state.rise = std::abs(products / squares * (count - 1)) / mean;
    state.reached = state.range <= SteadyState::most_range && state.rise <= SteadyState::most_rise;
    return state;
}

}  // namespace assay::storage
